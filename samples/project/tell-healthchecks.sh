#!/bin/sh
# Tells a dead man's switch that a load has run, and how: HEALTHCHECK_URL is the
# check's address, to which the exit code is added. 4 (some rows need a person)
# is no failure of the night.
#   leadload import … --on-finish 'sh tell-healthchecks.sh'
code=$LEADLOAD_EXIT_CODE
[ "$code" = 4 ] && code=0
curl -fsS -m 10 --retry 3 --data-binary @- "$HEALTHCHECK_URL/$code"
