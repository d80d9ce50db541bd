# R 4.2.2 of Debian 12 for the scripts beside this file, sourced by them.
#
# It makes the temporary folder $here, goes there, and unpacks R and the packages that the
# script names. r FILE runs a file of R.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

unpack_r() { # packages of Debian for R, each NAME or NAME=VERSION
  mkdir debs
  (cd debs && apt-get download -qq r-base-core=4.2.2.20221110-2 libblas3 liblapack3 libgfortran5 libgomp1 libtirpc3 "$@" 2>/dev/null)
  for deb in debs/*.deb; do dpkg -x "$deb" .; done
  mv usr/lib/R/etc/Renviron.ucf environ
  rm -r debs usr/lib/R/etc
  cp -r etc/R usr/lib/R/etc
  grep -v '^R_HOME=' environ >usr/lib/R/etc/Renviron
}

r() {
  local libraries=usr/lib/$(uname -m)-linux-gnu
  LD_LIBRARY_PATH=$here/usr/lib/R/lib:$here/$libraries:$here/$libraries/blas:$here/$libraries/lapack \
    R_HOME=$here/usr/lib/R R_LIBS_SITE=$here/usr/lib/R/site-library R_DEFAULT_PACKAGES=methods,utils,stats \
    usr/lib/R/bin/exec/R --no-echo --vanilla -f "$1" 2>&1
}
