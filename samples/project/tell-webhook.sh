#!/bin/sh
# Posts how a load ended into a chat, whose incoming webhook is in WEBHOOK_URL.
#   leadload import … --on-finish 'sh tell-webhook.sh'
# The line is taken as the summary writes it, so that it is JSON already.
line=$(sed -n 's/^ *"line": "\(.*\)"$/\1/p')
printf '{"text": "leadload, exit code %s: %s"}' "$LEADLOAD_EXIT_CODE" "$line" |
	curl -fsS -m 20 --retry 3 -H 'Content-Type: application/json' --data-binary @- "$WEBHOOK_URL"
