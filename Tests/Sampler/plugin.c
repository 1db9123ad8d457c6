// SPDX-License-Identifier: Apache-2.0
//
// plugin FILE: a program without C++ opens a plug-in of C++ whose libraries are its own.
#include <dlfcn.h>
#include "books.h"

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);

	if (!library)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(library);
	int (*run)(void) = (int (*)(void))(uintptr_t)dlsym(library, "run_operators");

	CHECK(run);
	return run();
}
