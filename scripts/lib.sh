# SPDX-License-Identifier: GPL-2.0
# What every script here shares: where things are, how to fail, how to name a result by its inputs.
# shellcheck shell=bash disable=SC2034

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(dirname "$scripts")
cache=${MPTCP_RS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mptcp_rs}
root=$cache/root
kernels=$cache/kernels

# shellcheck source=scripts/versions.env
. "$scripts/versions.env"

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

say() {
	printf '[%(%H:%M:%S)T] %s\n' -1 "$*" >&2
}

# One name for a set of inputs: twelve hex digits over the words and files given.
hash_of() {
	local item
	for item in "$@"; do
		if [[ -f $item ]]; then cat -- "$item"; else printf '%s\n' "$item"; fi
	done | sha256sum | cut -c1-12
}

need_root_user() {
	((EUID == 0)) || die "this step mounts and changes root: run it as the root user (sudo make ...)"
}

# need_space GIB WHAT: refuses early instead of dying half-way.
need_space() {
	local free
	mkdir -p "$cache"
	free=$(df --output=avail -B1G "$cache" | tail -n 1)
	((free >= $1)) || die "$2 needs $1 GiB of disk under $cache and $((free)) GiB are free: free some, or set MPTCP_RS_CACHE to a larger place"
}

# publish TEMPORARY FINAL LINK: a result appears under its name only when it is whole.
publish() {
	mv -T -- "$1" "$2"
	ln -sfn -- "$(basename "$2")" "$3"
}

# Host programs and tests: by the host's cargo, or by the build root's where the host has none.
run_cargo() {
	if command -v cargo >/dev/null; then
		(cd "$checkout" && cargo "$@")
	else
		"$scripts/enter" --env CARGO_TARGET_DIR=/src/build/cargo cargo "$@"
	fi
}
