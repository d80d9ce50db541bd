#!/usr/bin/env bash
# A job in JSON, whose count of tries is raised by a script inside Redis.
#
# Version    Redis 7.0.15 (Debian), its Lua with cjson, defaults.
# Guess      Lua's numbers are doubles, so integers up to 2^53 come back unharmed: all of
#            15 digits, and nearly all of 16.
# Behaviour  cjson writes fourteen digits. 123456789012345 becomes 1.2345678901234e+14,
#            and a reader then has 123456789012340; a place on the map moves in the
#            13th decimal. Phones of twelve digits are safe. An empty list becomes {}.
#            No error. INCRBY, a plain number in a script and a text of digits keep all.
# Why it matters   Ids and account numbers lose their last digits in the queue, on the
#            second try only, and the job then works on another record.
. "$(dirname "$0")/servers.bash"
start_redis
retry="local job = cjson.decode(redis.call('GET', KEYS[1])); job.tries = job.tries + 1
redis.call('SET', KEYS[1], cjson.encode(job)); return redis.call('GET', KEYS[1])"
{
  for job in '{"tries":0,"account":123456789012345}' '{"tries":0,"deal":4111111111111111}' '{"tries":0,"phone":919876543210}' \
    '{"tries":0,"latitude":12.971598765432109}' '{"tries":0,"tags":[]}' '{"tries":0,"account":"123456789012345"}'; do
    redis set job "$job" >/dev/null
    echo "$job -> $(redis eval "$retry" 1 job | sed 's/{"\(.*\),"tries":1}/{"tries":1,"\1}/')"
  done
  redis set count 4111111111111110 >/dev/null
  echo "INCRBY: $(redis incrby count 1)"
  echo "a number in a script: $(redis eval "return redis.call('INCRBY', KEYS[1], 0) + 1" 1 count)"
} >seen
cat >expected <<'OUT'
{"tries":0,"account":123456789012345} -> {"tries":1,"account":1.2345678901234e+14}
{"tries":0,"deal":4111111111111111} -> {"tries":1,"deal":4.1111111111111e+15}
{"tries":0,"phone":919876543210} -> {"tries":1,"phone":919876543210}
{"tries":0,"latitude":12.971598765432109} -> {"tries":1,"latitude":12.971598765432}
{"tries":0,"tags":[]} -> {"tries":1,"tags":{}}
{"tries":0,"account":"123456789012345"} -> {"tries":1,"account":"123456789012345"}
INCRBY: 4111111111111111
a number in a script: 4111111111111112
OUT
diff expected seen && cat seen
