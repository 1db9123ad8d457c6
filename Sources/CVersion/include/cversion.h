/* SPDX-License-Identifier: Apache-2.0 */
/* What this build is made of, as Scripts/version wrote it down. */
#ifndef SWIFTMEM_CVERSION_H
#define SWIFTMEM_CVERSION_H

/* The tag's version, with what was committed since: "0.1.0", "0.1.0+12.g0df1327". */
const char *cversion_number(void);

/* The commit, with "-dirty" where files were changed; "unknown" where there was no repository. */
const char *cversion_commit(void);

/* The day of that commit: "2026-11-27"; empty where there was no repository. */
const char *cversion_date(void);

#endif
