#!/bin/sh
# make-root-disk.sh TAR FINISH TREE DISK SIZE PACKAGES
# Runs on the PC that builds an image, as root or as root of a user namespace: unpacks TAR into the new folder TREE,
# lets the script FINISH change it, makes of it an ext4 file system in the file DISK, and lists its packages.
set -eu

tar=$1 finish=$2 tree=$3 disk=$4 size=$5 packages=$6
mkdir "$tree"
trap 'rm -rf "$tree"' EXIT
trap 'exit 143' TERM INT
# Devices cannot be made in a user namespace, and the machine mounts its own /dev.
tar --extract --file "$tar" --directory "$tree" --numeric-owner --preserve-permissions --exclude './dev/*'
dpkg-query --admindir "$tree/var/lib/dpkg" --show >"$packages"
sh "$finish" "$tree"
truncate -s "$size" "$disk"
# No journal: a disk that was not unmounted dies with its run. Tables that are still empty need not be written.
mke2fs -q -t ext4 -L bench-root -m 0 -O '^has_journal' -E 'lazy_itable_init=1,root_owner=0:0' -d "$tree" "$disk"
