# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Swift SDK for another machine, of Debian's packages for it. Sourced behind Tests/VM/lib.sh.

triple_of() { case $1 in arm64) echo aarch64-unknown-linux-gnu ;; esac; }

# swift_sdk ARCH ROOT NAME: writes the SDK. Prints the directory that `swift build --swift-sdks-path` wants.
swift_sdk() {
	local arch=$1 root=$2 sdks=$cache_dir/cross/$1/sdks name=$3 bundle linker
	linker=', "linker": {"extraCLIOptions": ["-rpath=/usr/libexec/swift/lib/swift/linux"]}'
	# a package's command carries Swift's library with it
	case $name in *-packages) linker= ;; esac
	bundle=$sdks/$name.artifactbundle
	mkdir -p "$bundle/$name"
	cat >"$bundle/info.json" <<-JSON
	{"schemaVersion": "1.0", "artifacts": {"$name": {"type": "swiftSDK", "version": "1", "variants": [{"path": "$name"}]}}}
	JSON
	cat >"$bundle/$name/swift-sdk.json" <<-JSON
	{
	  "schemaVersion": "4.0",
	  "targetTriples": {
	    "$(triple_of "$arch")": {
	      "sdkRootPath": "$root",
	      "swiftResourcesPath": "$root/usr/libexec/swift/lib/swift",
	      "swiftStaticResourcesPath": "$root/usr/libexec/swift/lib/swift_static",
	      "toolsetPaths": ["toolset.json"]
	    }
	  }
	}
	JSON
	# The compiler is Debian's for this machine, and so are its tools. swiftc hands the C compiler and the linker no SDK.
	cat >"$bundle/$name/toolset.json" <<-JSON
	{
	  "schemaVersion": "1.0",
	  "rootPath": "/usr/bin",
	  "swiftCompiler": {
	    "extraCLIOptions": [
	      "-sdk", "$root", "-Xcc", "--gcc-toolchain=$root/usr", "-Xclang-linker", "--sysroot=$root",
	      "-Xclang-linker", "--gcc-toolchain=$root/usr", "-use-ld=lld", "-tools-directory", "/usr/bin"
	    ]
	  },
	  "cCompiler": {"extraCLIOptions": ["--sysroot=$root", "--gcc-toolchain=$root/usr"]},
	  "cxxCompiler": {"extraCLIOptions": ["--sysroot=$root", "--gcc-toolchain=$root/usr"]}$linker
	}
	JSON
	printf '%s\n' "$sdks"
}
