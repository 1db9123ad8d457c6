// SPDX-License-Identifier: Apache-2.0
//! Rust: generic and boxed closures, a sort, a thread, a panic that is caught. Linked with hold.o.
use std::io::{Read, Write};

extern "C" {
    fn leak_and_hold();
}

#[inline(never)]
fn recurse(depth: u32, f: &mut dyn FnMut()) -> u32 {
    if depth == 0 { f(); 1 } else { std::hint::black_box(recurse(depth - 1, f)) + 1 }
}

struct Guard;
impl Drop for Guard {
    #[inline(never)]
    fn drop(&mut self) { unsafe { leak_and_hold() } std::hint::black_box(()); }
}

fn main() {
    print!("{{\"type\":\"ready\"}}\n");
    std::io::stdout().flush().unwrap();
    let mut byte = [0u8];
    std::io::stdin().read_exact(&mut byte).unwrap();
    let mut hold = || unsafe { leak_and_hold() };
    match std::env::args().nth(1).as_deref() {
        Some("closure") => { recurse(5, &mut hold); }
        Some("sort") => { let mut v: Vec<u32> = (0..30).rev().collect(); v.sort_by(|a, b| { recurse(2, &mut || unsafe { leak_and_hold() }); a.cmp(b) }); }
        Some("thread") => { std::thread::spawn(|| { recurse(3, &mut || unsafe { leak_and_hold() }); }).join().unwrap(); }
        Some("panic") => { let _ = std::panic::catch_unwind(|| { let _guard = Guard; let v: Vec<u8> = vec![]; std::hint::black_box(v[std::env::args().count()]); }); }
        _ => {}
    }
}
