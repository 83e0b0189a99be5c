#!/usr/bin/env bash
# Makes a local image postgres:<major> out of this machine's PostgreSQL, for a Docker daemon that reaches no image
# registry. Needs Debian's layout (/usr/lib/postgresql/<major>) and busybox-static.
#   usage: tests/docker/image.sh <major>
set -euo pipefail
major=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,etc,tmp,usr/lib/postgresql,usr/share/postgresql,var/lib/postgresql,lib64}
chmod 755 "$root"
chmod 1777 "$root/tmp"
cp -L "$(command -v busybox)" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list | grep -vx busybox); do ln -sf busybox "$root/bin/$applet"; done
printf 'root:x:0:0:root:/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"
cp -a "/usr/lib/postgresql/$major" "$root/usr/lib/postgresql/"
cp -a "/usr/share/postgresql/$major" "$root/usr/share/postgresql/"
mkdir -p "$root/usr/share"
cp -a /usr/share/zoneinfo "$root/usr/share/"
for file in "/usr/lib/postgresql/$major/bin/"* "/usr/lib/postgresql/$major/lib/"*.so; do
    ldd "$file" 2>/dev/null | grep -o '/[^ )]*' || true
done | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
install -m 755 "$here/entrypoint.sh" "$root/bin/docker-entrypoint.sh"
tar -C "$root" -c . | docker import \
    -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["postgres"]' -c 'EXPOSE 5432' \
    -c "ENV PATH=/usr/lib/postgresql/$major/bin:/bin LC_ALL=C PGDATA=/var/lib/postgresql/data" \
    -c 'VOLUME /var/lib/postgresql/data' - "postgres:$major"
