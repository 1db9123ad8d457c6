// SPDX-License-Identifier: Apache-2.0
//
// Exceptions that pass operator new, the C++ library and the program's own frames, 200 of each. With an argument it
// waits for the end of its input first. Exit 42: each was caught.
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <unistd.h>

static volatile std::size_t endless = PTRDIFF_MAX;
static char *volatile block;

template <typename Call> static int caught(Call call)
{
	try {
		call();
	} catch (const std::exception &) {
		return 1;
	}
	return 0;
}

int main(int argc, char **)
{
	int count = 0;
	char byte;
	std::string text(100, 'x');

	while (argc > 1 && read(0, &byte, 1) == 1)
		;
	for (int i = 0; i < 200; i++) {
		count += caught([] { block = new char[endless]; });
		count += caught([] { throw std::runtime_error("its own"); });
		count += caught([&] { (void)text.at(200); });
	}
	return count == 600 ? 42 : 1;
}
