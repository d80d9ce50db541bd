#!/bin/sh
# Mails how a load ended, when a person is needed.
#   leadload import … --on-finish 'sh tell-mail.sh ops@example.com'
summary=$(cat)
[ "$LEADLOAD_EXIT_CODE" = 0 ] && exit 0
line=$(printf '%s\n' "$summary" | sed -n 's/^ *"line": "\(.*\)"$/\1/p')
printf '%s\n\n%s\n' "$line" "$summary" | mail -s "leadload ended with exit code $LEADLOAD_EXIT_CODE" "$1"
