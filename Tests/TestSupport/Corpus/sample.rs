// SPDX-License-Identifier: Apache-2.0
mod corpus {
    pub trait Grow {
        fn grow(&mut self, by: usize);
    }
    impl<T: Clone + Default> Grow for Vec<T> {
        #[inline(never)]
        fn grow(&mut self, by: usize) {
            self.resize(self.len() + by, T::default());
        }
    }
    #[inline(never)]
    pub fn plain(x: usize) -> usize {
        std::hint::black_box(x) + 3
    }
}

fn main() {
    use corpus::Grow;
    let mut list: Vec<Option<u8>> = Vec::new();
    list.grow(corpus::plain(std::env::args().count()));
    let add = std::hint::black_box(|x: usize| x + list.len());
    println!("{}", add(1));
}
