#!/usr/bin/env bash
# An export that breaks off in the middle, read through nginx.
#
# Version    nginx 1.22.1 (Debian), proxy_pass and nothing else; the app and the client
#            need Node.
# Guess      The app sends its answer in chunks and dies before the last one, so that a
#            client sees the break, through the proxy as without it.
# Behaviour  Straight from the app the client sees the break. Through nginx it receives a
#            whole answer of status 200: the rows so far, then a proper end.
#            nginx asks the app with HTTP/1.0 unless it is told otherwise. There the end
#            of the connection is the end of the answer, so no break exists for it, and it
#            chunks what came and closes it well. Its error log stays empty.
#            With "proxy_http_version 1.1" the break is passed on.
# Why it matters   A CSV that was read whole and checked for errors lacks its tail. A
#            proxy of one line, in front of a server that never cuts an answer silently.
set -euo pipefail
here=$(mktemp -d)
processes=()
trap '[ ${#processes[@]} = 0 ] || { kill "${processes[@]}"; wait || true; }; rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
cat >app.cjs <<'JS'
const server = require('http').createServer((_, answer) => {
  answer.writeHead(200, { 'Content-Type': 'text/csv' });
  answer.write('id,amount\n');
  let row = 0;
  const timer = setInterval(() => {
    if (row === 3) {
      clearInterval(timer);
      answer.destroy(); // as when the process dies
    } else answer.write(`${++row},100\n`);
  }, 100);
});
server.listen('app');
JS
cat >client.cjs <<'JS'
const [name, socketPath, path] = process.argv.slice(2);
require('http').get({ socketPath, path, headers: { host: 'crm.example' } }, (answer) => {
  let text = '';
  answer.on('data', (d) => (text += d)).on('error', () => {}).on('close', () =>
    console.log(`${name}: status ${answer.statusCode}, rows ${text.trim().split('\n').length - 1}, ${answer.complete ? 'a whole answer' : 'broken off'}`));
});
JS
mkdir temp
cat >nginx.conf <<CONF
pid $here/pid;
error_log $here/log;
daemon off;
events {}
http {
  access_log off;
  client_body_temp_path temp/body;
  proxy_temp_path temp/proxy;
  fastcgi_temp_path temp/fastcgi;
  uwsgi_temp_path temp/uwsgi;
  scgi_temp_path temp/scgi;
  server {
    listen unix:$here/nginx;
    location / { proxy_pass http://unix:$here/app:; }
    location /one { proxy_http_version 1.1; proxy_pass http://unix:$here/app:; }
  }
}
CONF
node app.cjs &
processes+=($!)
chmod 755 "$here" # nginx's worker may run as another user
usr/sbin/nginx -p "$here" -c "$here/nginx.conf" 2>/dev/null &
processes+=($!)
for _ in $(seq 100); do [ -S app ] && [ -S nginx ] && break; sleep 0.1; done
chmod 777 app
{
  node client.cjs 'no proxy' app /
  node client.cjs 'nginx' nginx /
  echo "errors that nginx logged: $(grep -c 'error' log || true)"
  node client.cjs 'nginx, HTTP/1.1' nginx /one
} >seen
cat >expected <<'OUT'
no proxy: status 200, rows 3, broken off
nginx: status 200, rows 3, a whole answer
errors that nginx logged: 0
nginx, HTTP/1.1: status 200, rows 3, broken off
OUT
diff expected seen && cat seen
