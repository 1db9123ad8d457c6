// SPDX-License-Identifier: Apache-2.0
internal import CVersion

// SAFETY: both are constants of the binary.

/// The version of this build, which is its tag's: "0.1.0"; with what was committed since: "0.1.0+12.g0df1327".
let swiftmemVersion = String(cString: cversion_number())

/// The commit in full, with "-dirty" where files were changed; "unknown" where there was no repository.
let buildCommit = String(cString: cversion_commit())

/// The day of that commit, "2026-11-27"; empty where there was no repository.
let buildDate = String(cString: cversion_date())
