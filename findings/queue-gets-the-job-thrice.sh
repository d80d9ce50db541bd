#!/usr/bin/env bash
# One RPUSH of a job to a queue in Redis, whose answer is lost on the way.
#
# Versions   Redis 7.0.15 (Debian); ioredis 5.8.2, redis 5.9.0 (npm); go-redis 9.17.2,
#            redigo 1.9.3 (Go); python3-redis 4.3.4 (Debian); defaults everywhere.
# Guess      RPUSH is not idempotent, so a client whose connection is closed returns an
#            error, and the caller decides. The queue holds the job once.
# Behaviour  The proxy of this script passes the command on and closes the connection
#            instead of answering, twice. ioredis and go-redis then have the job in the
#            queue three times, and return 3 without an error: both send a command anew
#            after a lost connection, whatever the command does. The three others return
#            an error, and the job is there once.
# Why it matters   Two of the clients that are used most turn one lost answer into records
#            made twice, behind a queue that was chosen so that this cannot happen.
. "$(dirname "$0")/servers.bash"
start_redis
unpack python3-redis=4.3.4-3 python3-async-timeout python3-deprecated python3-wrapt python3-packaging
npm init -y >/dev/null
npm install --silent ioredis@5.8.2 redis@5.9.0 >/dev/null
port=$(free_port)
cat >proxy.cjs <<'JS'
const net = require('net');
let cuts = 2;
net.createServer((client) => {
  const server = net.connect('redis');
  let cut = false;
  client.on('data', (d) => {
    if (/RPUSH/i.test(d) && cuts > 0) { cut = true; cuts--; }
    server.write(d);
  });
  server.on('data', (d) => (cut ? client.destroy() : client.write(d)));
  client.on('error', () => {}).on('close', () => server.destroy());
  server.on('error', () => {});
}).listen(process.argv[2], '127.0.0.1', () => console.log('ready'));
JS
cat >push.cjs <<'JS'
const [name, port] = process.argv.slice(2);
const said = (p) => p.then((n) => `returned ${n}`, () => 'returned an error').then((t) => { console.log(`${name}: ${t}`); process.exit(); });
if (name === 'ioredis') {
  const Redis = require('ioredis');
  said(new Redis(port, '127.0.0.1').on('error', () => {}).rpush('jobs', 'load'));
} else {
  const client = require('redis').createClient({ url: `redis://127.0.0.1:${port}` }).on('error', () => {});
  said(client.connect().then(() => client.rPush('jobs', 'load')));
}
JS
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
)

func main() {
	address := "127.0.0.1:" + os.Args[2]
	var n any
	var err error
	if os.Args[1] == "go-redis" {
		n, err = goredis.NewClient(&goredis.Options{Addr: address}).RPush(context.Background(), "jobs", "load").Result()
	} else {
		connection, failed := redis.Dial("tcp", address)
		if failed != nil {
			panic(failed)
		}
		n, err = connection.Do("RPUSH", "jobs", "load")
	}
	if err != nil {
		n = "an error"
	}
	fmt.Printf("%s: returned %v\n", os.Args[1], n)
}
GO
printf 'module jobs\n\ngo 1.24\n' >go.mod
go get github.com/redis/go-redis/v9@v9.17.2 github.com/gomodule/redigo@v1.9.3 2>/dev/null
go build -o push .
cat >push.py <<'PY'
import redis, sys
try:
    print('python3-redis: returned', redis.Redis(port=int(sys.argv[1])).rpush('jobs', 'load'))
except redis.RedisError:
    print('python3-redis: returned an error')
PY
for client in 'node push.cjs ioredis' 'node push.cjs redis' './push go-redis' './push redigo' 'env PYTHONPATH=server/usr/lib/python3/dist-packages /usr/bin/python3 push.py'; do
  node proxy.cjs "$port" >ready &
  proxy=$!
  for _ in $(seq 100); do [ -s ready ] && break; sleep 0.1; done
  $client "$port" | tr '\n' ','
  kill "$proxy"
  wait "$proxy" || true
  : >ready
  echo " in the queue $(redis llen jobs)"
  redis del jobs >/dev/null
done >seen
cat >expected <<'OUT'
ioredis: returned 3, in the queue 3
redis: returned an error, in the queue 1
go-redis: returned 3, in the queue 3
redigo: returned an error, in the queue 1
python3-redis: returned an error, in the queue 1
OUT
diff expected seen && cat seen
