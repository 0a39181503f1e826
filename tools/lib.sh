# lib.sh: what the scripts of tools/ share: where the project is, and installing what a step needs.
# Sourced by POSIX sh scripts: . "$(dirname "$0")/lib.sh"
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

# Debian package that brings each program or file; only what is missing is installed.
need_build="meson ninja-build gcc pkg-config libglpk-dev liblapacke-dev libopenblas-dev"
need_tests="check python3 umockdev"

missing_packages() {
  for p in "$@"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$p"
  done
}

# ensure PACKAGE...: installs what is missing where it may, else prints the one line to type and stops.
ensure() {
  command -v dpkg-query >/dev/null 2>&1 || return 0 # not Debian: the build will say what is missing
  lacking=$(missing_packages "$@")
  [ -n "$lacking" ] || return 0
  line="apt-get install -y --no-install-recommends $lacking"
  if [ "$(id -u)" != 0 ]; then
    say "These packages are missing; type:  sudo $line"
    exit 1
  fi
  say "installing: $lacking"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  { $line -qq -o DPkg::Lock::Timeout=300 >/dev/null 2>&1 ||
    { apt-get update -qq -o DPkg::Lock::Timeout=300 && $line -qq -o DPkg::Lock::Timeout=300; }; } >&2 || {
    say "installing failed; type:  $line"
    exit 1
  }
}

# configure DIR [meson options]: sets up or reuses a build folder under the project's root.
configure() {
  dir=$1
  shift
  if [ -f "$root/$dir/build.ninja" ]; then
    meson configure "$root/$dir" "$@" >/dev/null
  else
    meson setup "$root/$dir" "$root" "$@" >/dev/null || { tail -n 20 "$root/$dir/meson-logs/meson-log.txt" >&2; return 1; }
  fi
}
