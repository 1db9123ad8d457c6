// SPDX-License-Identifier: Apache-2.0
//
// Rust: a box let go of, a cycle of counted references, a vector.
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

pub struct Node {
    other: RefCell<Option<Rc<Node>>>,
    payload: [u8; 64],
}

#[inline(never)]
pub fn leak_box() {
    black_box(Box::leak(black_box(Box::new([7u8; 40]))));
}

#[inline(never)]
pub fn leak_cycle() {
    let node = Rc::new(Node { other: RefCell::new(None), payload: black_box([1; 64]) });
    *node.other.borrow_mut() = Some(node.clone());
    black_box(&node.payload);
}

fn main() {
    for _ in 0..300 {
        leak_box();
        leak_cycle();
        black_box(Vec::<u8>::with_capacity(black_box(333)));
    }
}
