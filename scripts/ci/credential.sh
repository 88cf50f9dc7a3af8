# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# As whom a job asks: a key, a bearer token, or a token of its CI system.

# choose_credential: sets `submit_token`, or leaves it empty where a key signs.
choose_credential() {
  local token=${COUNTERSIGN_TOKEN-} oidc=${COUNTERSIGN_OIDC_TOKEN-}
  local -i many=0
  unset -v COUNTERSIGN_TOKEN COUNTERSIGN_OIDC_TOKEN
  ((many = ${#token} > 0, many += ${#oidc} > 0, many += ${#config[key]} > 0, many <= 1)) ||
    usage_error 'more than one of COUNTERSIGN_TOKEN, COUNTERSIGN_OIDC_TOKEN and --key is given'
  if [[ ${config[key]} ]]; then
    [[ ${config[submitter]-} ]] || usage_error '--submitter is missing: under which name the key is enrolled'
    type -P ssh-keygen >/dev/null || usage_error 'there is no ssh-keygen to sign with the key: ask with a token'
  elif [[ $token ]]; then
    is_bearer_token "$token" || shut bad-token 'COUNTERSIGN_TOKEN is not 43 characters of base64url'
    submit_token=$token
  elif [[ $oidc ]]; then
    is_json_web_token "$oidc" || shut bad-token 'COUNTERSIGN_OIDC_TOKEN is not a JSON Web Token'
    submit_token=$oidc
  elif [[ ${ACTIONS_ID_TOKEN_REQUEST_URL-} && ${ACTIONS_ID_TOKEN_REQUEST_TOKEN-} ]]; then
    fetch_github_token
  else
    usage_error 'nobody asks: give COUNTERSIGN_TOKEN, COUNTERSIGN_OIDC_TOKEN or --key (on GitHub: permissions: id-token: write)'
  fi
}

is_json_web_token() {
  [[ $1 =~ ^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$ ]] && ((${#1} <= 12288))
}

# Asks GitHub for a token of this job with our audience. A step that holds no permission has no address to ask at.
fetch_github_token() {
  local url=$ACTIONS_ID_TOKEN_REQUEST_URL secret=$ACTIONS_ID_TOKEN_REQUEST_TOKEN text=''
  [[ $url == https://* || $url =~ ^http://(127\.0\.0\.1|localhost): ]] && [[ $url != *[!!-~]* && $url != *[\"\\]* ]] &&
    [[ $secret && $secret != *[!A-Za-z0-9._~+/=-]* ]] || shut bad-token 'GitHub names no address for tokens of the job'
  [[ $url == *\?* ]] || url+='?'
  : >"$run.token" || state_failed
  printf '%s\n' "url = \"$url&audience=$ci_audience\"" "header = \"Authorization: bearer $secret\"" \
    "output = \"$run.token\"" 'max-time = 20' 'connect-timeout = 5' 'max-filesize = 65536' 'retry = 2' 'proto = "=http,https"' \
    'header = "Accept: application/json"' 'globoff' 'silent' 'fail' |
    (ulimit -f 65 && exec curl -q -K -) || shut no-oidc-token "GitHub gives no token (curl ${PIPESTATUS[1]})"
  IFS= read -r -d '' text <"$run.token"
  rm -f -- "$run.token"
  [[ $text =~ \"value\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" ]] && submit_token=${BASH_REMATCH[1]} &&
    is_json_web_token "$submit_token" || shut no-oidc-token 'what GitHub gives is no token'
}
