#!/usr/bin/env bash
# Written by byoc fleet export. Sends the settings of every stack in stacks.txt to Pulumi Cloud.
# Needs bash, curl, jq, and in the environment PULUMI_ACCESS_TOKEN and the value of each secret variable.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
api="${PULUMI_BACKEND_URL:-https://api.pulumi.com}"
: "${PULUMI_ACCESS_TOKEN:?set it to a token that may change the stacks}"
: "${PULUMI_CONFIG_PASSPHRASE:?set it: every run gets it as a secret}"
export PULUMI_CONFIG_PASSPHRASE
while read -r stack; do
  echo "$stack"
  answer=$(
    jq '.operationContext.environmentVariables += {PULUMI_CONFIG_PASSPHRASE: {secret: env.PULUMI_CONFIG_PASSPHRASE}}' "${stack##*/}.json" |
      curl --fail-with-body --silent --show-error --request POST \
        --header @<(printf 'Authorization: token %s\n' "$PULUMI_ACCESS_TOKEN") \
        --header 'Accept: application/vnd.pulumi+8' --header 'Content-Type: application/json' --data-binary @- \
        "$api/api/stacks/$stack/deployments/settings"
  ) || { echo "error: $stack was refused: $answer" >&2; exit 1; }
done < stacks.txt
