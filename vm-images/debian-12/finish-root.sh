#!/bin/sh
# finish-root.sh TREE: the last changes to the root disk's files, on the PC that builds the image.
set -eu
cd "$1"

# Nothing of the building PC: neither its mirrors and its way to them, nor its name, nor what its tools wrote.
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/apt/sources.list.d/* etc/hostname etc/resolv.conf etc/hosts
rm -rf var/cache/debconf/*-old var/lib/dpkg/*-old tmp/* run/*
find var/log var/cache/apt var/lib/apt/lists -type f -delete
: >etc/machine-id
echo bench >etc/hostname
: >etc/resolv.conf
# Debian's public mirrors, as apt's own package lists them.
sed -n 's/^\(deb .*\) main .*/\1 main/p' usr/share/doc/apt/examples/sources.list >etc/apt/sources.list
[ -s etc/apt/sources.list ]
rm -r usr/share/doc/apt/examples

# Jobs install packages without anybody to ask, and machines have no service manager to start daemons with.
cat >etc/apt/apt.conf.d/90bench <<EOF
APT::Install-Recommends "false";
Acquire::Languages "none";
Dpkg::Use-Pty "0";
EOF
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
mkdir -p builds var/cache/gitlab-runner
