// SPDX-License-Identifier: Apache-2.0
// SwiftPM wants a source file in a C target; the records are all in include/.
