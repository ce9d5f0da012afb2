#!/usr/bin/env bash
# Starts a command in a root file system that cannot be written and has no shell, as an unprivileged user.
# For deploy/build-image.sh, inside `unshare --mount`: everything mounted here goes with the process.
set -euo pipefail
root=$1 uid=$2
shift 2
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin

mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc -o ro,nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o size=64k,mode=755 devices "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
# /dev/null in place of each shell: executing it is refused.
for shell in sh dash bash; do
  if [ -e "$root/usr/bin/$shell" ]; then mount --bind /dev/null "$(readlink -f "$root/usr/bin/$shell")"; fi
done
mount -o remount,ro "$root/dev"
mount -o remount,ro,bind "$root"

for attempt in /tmp/x /opt/osteon/x /var/x; do
  if touch "$root$attempt" 2>/dev/null; then echo "$attempt can be written" >&2; exit 70; fi
done
if chroot "$root" /bin/sh -c true 2>/dev/null; then echo "there is a shell" >&2; exit 70; fi
exec chroot --userspec="$uid:$uid" "$root" "$@"
