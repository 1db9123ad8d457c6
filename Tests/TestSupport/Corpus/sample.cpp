// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

namespace corpus {
template <typename T> struct Box {
    std::vector<T> items;
    __attribute__((noinline)) void add(const T &item) { items.push_back(item); }
    __attribute__((noinline)) bool operator==(const Box &other) const { return items == other.items; }
};
namespace {
__attribute__((noinline)) int hidden(std::string text, int &&count) { return (int)text.size() + count; }
}
__attribute__((noinline)) auto lambda() { return [](int x) __attribute__((noinline)) { return x * 7; }; }
} // namespace corpus

int main(int argc, char **argv)
{
    corpus::Box<std::string> box, other;
    box.add(argv[0]);
    return corpus::hidden(argv[0], argc * 2) + (box == other) + corpus::lambda()(argc);
}
