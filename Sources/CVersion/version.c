// SPDX-License-Identifier: Apache-2.0
#include "cversion.h"

// written by Scripts/build; `swift build` alone knows no version
#if __has_include("generated.h")
#include "generated.h"
#else
#define VERSION_NUMBER "0.0.0"
#define VERSION_COMMIT "unknown"
#define VERSION_DATE ""
#endif

const char *cversion_number(void)
{
	return VERSION_NUMBER;
}

const char *cversion_commit(void)
{
	return VERSION_COMMIT;
}

const char *cversion_date(void)
{
	return VERSION_DATE;
}
