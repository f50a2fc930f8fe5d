# SPDX-License-Identifier: GPL-2.0
# What the kernel tree scripts share: each tree lives under a name made of its inputs and appears
# there only when it is whole.
# shellcheck shell=bash

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# make_tree NAME GIB ID COMMAND: runs COMMAND with a fresh folder as its last argument, unless the tree is there.
make_tree() {
	local name=$1 space=$2 final=$kernels/$1-$3 new=$kernels/$1-$3.new
	shift 3
	mkdir -p "$kernels"
	if [[ ! -d $final ]]; then
		need_root_user
		need_space "$space" "the kernel tree '$name'"
		exec 8>"$cache/build.lock"
		flock --nonblock 8 || {
			say "kernel tree '$name': waiting for another kernel build to end"
			flock 8
		}
	fi
	if [[ ! -d $final ]]; then
		rm -rf --one-file-system -- "$kernels/$name"-*.new
		mkdir -p "$new"
		"$@" "$new"
		mv -T -- "$new" "$final"
		say "kernel tree '$name': ready, $(du -sh "$final" | cut -f1)"
	fi
	ln -sfn "$(basename "$final")" "$kernels/$name"
}

# in_tree NAME FOLDER LOG WORDS...: runs a command inside the root with FOLDER as /kernels/NAME.
in_tree() {
	local name=$1 folder=$2 log=$3
	shift 3
	"$scripts/enter" --bind "$folder:/kernels/$name" --dir /kernels/source "$@" >"$log" 2>&1 ||
		die "the kernel tree '$name' could not be built, the first error was: $(grep -m1 -iE 'error|missing' "$log" || tail -n 1 "$log") (whole log: $log)"
}
