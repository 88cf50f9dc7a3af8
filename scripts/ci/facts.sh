# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What the document binds: what the caller names, the command, and what the CI system says of the job, so that another commit,
# run or attempt is another document (A5). These are the job's own words; an OIDC token has its issuer say them.

# Longest value, in bytes, and the variables of each system, in canonical order.
readonly max_value=4096
readonly github_variables=(GITHUB_ACTOR GITHUB_EVENT_NAME GITHUB_JOB GITHUB_REF GITHUB_REPOSITORY GITHUB_RUN_ATTEMPT GITHUB_RUN_ID
  GITHUB_SERVER_URL GITHUB_SHA GITHUB_TRIGGERING_ACTOR GITHUB_WORKFLOW_REF GITHUB_WORKFLOW_SHA)
readonly gitlab_variables=(CI_COMMIT_REF_NAME CI_COMMIT_REF_PROTECTED CI_COMMIT_SHA CI_ENVIRONMENT_NAME CI_JOB_ID CI_JOB_NAME
  CI_PIPELINE_ID CI_PIPELINE_SOURCE CI_PROJECT_ID CI_PROJECT_PATH CI_SERVER_URL GITLAB_USER_LOGIN)
readonly jenkins_variables=(BUILD_NUMBER GIT_BRANCH GIT_COMMIT GIT_URL JENKINS_URL JOB_NAME)

# describe_job: sets the document but for its nonce.
describe_job() {
  local detail name members=''
  local -A values=()
  local -a names=()
  for detail in "${ci_details[@]}"; do
    name=${detail%%=*}
    [[ $detail == *=* && $name =~ ^[A-Za-z0-9_.-]{1,64}$ ]] || usage_error "--detail ${detail:0:80} is not NAME=VALUE"
    [[ ! ${values[$name]-} && ' argv ci cwd executable stdin ' != *" $name "* ]] || usage_error "--detail $name is taken already"
    json_string "${detail#*=}" "$max_value" || usage_error "--detail $name is longer than $max_value bytes or not UTF-8"
    values[$name]=$json
  done
  describe_system
  [[ ! $json ]] || values[ci]=$json
  if ((${#ci_command[@]})); then
    json_array "$max_value" "${ci_command[@]}" || usage_error 'an argument is too long to be approved, or not UTF-8'
    values[argv]=$json
    json_string "$PWD" "$max_value" || usage_error 'the working directory is too long to be approved, or not UTF-8'
    values[cwd]=$json
    json_string "$ci_executable" "$max_value" || usage_error 'the path of the program is too long to be approved, or not UTF-8'
    hash_executable
    values[executable]="{\"path\":$json,\"sha256\":\"$executable_hash\"}"
    describe_stdin
    values[stdin]=$json
  fi
  sort_names "${!values[@]}"
  for name in "${names[@]}"; do members+=",\"$name\":${values[$name]}"; done
  describe "$ci_action" "$ci_requester" "{${members:1}}"
  members=''
  ! asks_number || members=',"number":true'
  [[ ! $ci_reason ]] || { json_string "$ci_reason" "$max_value" || usage_error '--reason is too long or not UTF-8'; }
  [[ ! $ci_reason ]] || members+=",\"reason\":$json"
  [[ ! $ci_ticket ]] || { json_string "$ci_ticket" "$max_value" || usage_error '--ticket is too long or not UTF-8'; }
  [[ ! $ci_ticket ]] || members+=",\"ticket\":$json"
  document_context="{${members:1}}"
}

# hash_executable: sets `executable_hash` to the SHA-256 of the program that the command names.
hash_executable() {
  executable_hash=$(exec sha256sum -- "$ci_executable")
  # A name with a backslash makes a line that begins with one.
  executable_hash=${executable_hash#\\}
  executable_hash=${executable_hash%% *}
  is_digest "sha256:$executable_hash" || shut unreadable-command "cannot read $ci_executable"
}

# describe_stdin: sets `json` to what the command will read from: a pipe that nobody saw is a fact (A6).
describe_stdin() {
  json='"device"'
  [[ ! -S /dev/stdin ]] || json='"socket"'
  [[ ! -f /dev/stdin ]] || json='"file"'
  [[ ! -p /dev/stdin ]] || json='"pipe"'
  [[ ! -t 0 ]] || json='"terminal"'
}

# describe_system: sets `json` to what the CI system says, empty where none is known.
describe_system() {
  local system='' name members=''
  local -a variables=()
  json=''
  if [[ ${GITHUB_ACTIONS-} == true ]]; then
    system=github-actions variables=("${github_variables[@]}")
  elif [[ ${GITLAB_CI-} == true ]]; then
    system=gitlab-ci variables=("${gitlab_variables[@]}")
  elif [[ ${JENKINS_URL-} ]]; then
    system=jenkins variables=("${jenkins_variables[@]}")
  else
    return
  fi
  for name in "${variables[@]}"; do
    [[ ${!name-} ]] || continue
    json_string "${!name}" "$max_value" || usage_error "$name is too long or not UTF-8"
    members+="\"$name\":$json,"
  done
  json="{$members\"system\":\"$system\"}"
}

# sort_names NAME…: sets the caller's `names` in the order of their bytes.
sort_names() {
  local name
  local -i at
  names=()
  for name; do
    for ((at = ${#names[@]}; at > 0; at--)); do
      [[ $name < ${names[at - 1]} ]] || break
      names[at]=${names[at - 1]}
    done
    names[at]=$name
  done
}
