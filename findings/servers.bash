# Database servers for the scripts beside this file, sourced by them.
#
# It makes the temporary folder $here and goes there. Each start_ function installs its
# pinned packages of Debian 12 into $here/server and starts the server; both go when the
# script ends. Servers listen on sockets in $here, and on 127.0.0.1 where a script asks so.
set -euo pipefail
here=$(mktemp -d)
pids=()
postgres= # the folder of PostgreSQL's programs
as() { "$@"; }
stop() {
  [ -z "$postgres" ] || as "$postgres/pg_ctl" -D "$here/pg" -m immediate stop >/dev/null || true
  [ ${#pids[@]} = 0 ] || { kill "${pids[@]}"; wait "${pids[@]}" || true; }
  rm -rf "$here"
}
trap stop EXIT
cd "$here"
libraries=$here/server/usr/lib/$(uname -m)-linux-gnu:$here/server/lib/$(uname -m)-linux-gnu

unpack() { # packages of Debian, each NAME or NAME=VERSION
  mkdir -p debs
  (cd debs && apt-get download -qq "$@" 2>/dev/null)
  for deb in debs/*.deb; do dpkg -x "$deb" server; done
  rm -r debs
}

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

started() { # a server, once its socket is there
  for _ in $(seq 100); do
    [ ! -S "$1" ] || return 0
    sleep 0.1
  done
}

start_postgres() { # version 15.20, with options of the server, such as -c wal_level=logical
  unpack postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
  if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
    chown nobody "$here"
    as() { runuser -u nobody -- "$@"; }
  fi
  local bin=$here/server/usr/lib/postgresql/15/bin
  as "$bin/initdb" -D "$here/pg" -A trust -U nobody >/dev/null
  as "$bin/pg_ctl" -D "$here/pg" -o "-k $here -c listen_addresses= $*" -l "$here/pg/log" -w start >/dev/null
  postgres=$bin
}

start_mariadb() { # version 10.11.19, with options of the server, such as --local-infile=1
  unpack mariadb-server-core=1:10.11.19-0+deb12u1 mariadb-client-core=1:10.11.19-0+deb12u1 \
    mariadb-client=1:10.11.19-0+deb12u1 libmariadb3=1:10.11.19-0+deb12u1 libaio1 libnuma1 liburing2
  LD_LIBRARY_PATH=$libraries server/usr/bin/mariadb-install-db --no-defaults --basedir="$here/server/usr" --datadir="$here/data" \
    --user="$(id -un)" --skip-test-db >/dev/null 2>&1
  LD_LIBRARY_PATH=$libraries server/usr/sbin/mariadbd --no-defaults --basedir="$here/server/usr" --datadir="$here/data" \
    --user="$(id -un)" --socket="$here/socket" "$@" 2>log &
  pids+=($!)
  started socket
}

sql() { LD_LIBRARY_PATH=$libraries server/usr/bin/mariadb --no-defaults -u root -S "$here/socket" "$@"; }

start_redis() { # version 7.0.15
  unpack redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 libatomic1
  LD_LIBRARY_PATH=$libraries server/usr/bin/redis-server --port 0 --unixsocket "$here/redis" --save '' --appendonly no --dir "$here" >log 2>&1 &
  pids+=($!)
  started redis
}

redis() { LD_LIBRARY_PATH=$libraries server/usr/bin/redis-cli -s "$here/redis" "$@"; }
