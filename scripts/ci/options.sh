# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What a CI job asks for and what it takes for an answer: from flags, else from the environment.

# What is asked for, beside what `config` holds.
ci_action='' ci_requester='' ci_reason='' ci_ticket='' ci_audience=countersign
# NAME=VALUE of --detail; the command that runs after an approval, and the absolute path of its program.
ci_details=() ci_command=() ci_executable=''
# Whether the broker is believed without signatures.
ci_trust_broker=no

# parse_options ARGUMENT…: sets all of the above and `config`.
parse_options() {
  local flag key value
  local -A given=()
  config[key]='' config[signers]='' config[state]=''
  config[wait]=3600 config[number]=no
  while (($#)); do
    flag=$1
    shift
    case $flag in
      --)
        (($#)) || usage_error 'there is no command after --'
        ci_command=("$@")
        break
        ;;
      --touch | --number) config[${flag#--}]=yes given[$flag]=yes && continue ;;
      --trust-broker) ci_trust_broker=yes && continue ;;
      --broker | --fingerprint | --ca | --door | --resource | --submitter | --key | --signers | --revoked-keys | --people | --required-groups | \
        --shared-requester | --longest | --wait | --action | --requester | --reason | --ticket | --oidc-audience | --detail) ;;
      *) usage_error "unknown option ${flag:0:80}" ;;
    esac
    (($#)) || usage_error "$flag needs a value"
    set_option "$flag" "$1"
    given[$flag]=yes
    shift
  done
  for flag in broker fingerprint ca door resource submitter key signers revoked-keys people required-groups touch number \
    shared-requester longest wait action requester reason ticket oidc-audience detail; do
    [[ ! ${given[--$flag]-} ]] || continue
    key=${flag//-/_}
    case $flag in
      broker) key=COUNTERSIGN_URL ;;
      detail) key=COUNTERSIGN_DETAILS ;;
      *) key=COUNTERSIGN_${key^^} ;;
    esac
    [[ ! ${!key-} ]] || set_from_environment "--$flag" "${!key}"
  done
  check_options
}

# set_option FLAG VALUE
set_option() {
  case $1 in
    --action) ci_action=$2 ;;
    --requester) ci_requester=$2 ;;
    --reason) ci_reason=$2 ;;
    --ticket) ci_ticket=$2 ;;
    --oidc-audience) ci_audience=$2 ;;
    --detail) ci_details+=("$2") ;;
    --key | --signers | --revoked-keys | --ca) set_path "$1" "$2" ;;
    *) config[${1#--}]=$2 ;;
  esac
}

# Paths of a job are mostly below its working directory.
set_path() {
  local path=$2
  [[ $path == /* ]] || path=$PWD/${path#./}
  is_path "$path" || usage_error "$1: not a path of plain characters: give an absolute one of A-Z a-z 0-9 . _ / @ + -"
  [[ -r $path ]] || usage_error "$1: cannot read $path"
  config[${1#--}]=$path
}

# set_from_environment FLAG VALUE: of details there may be several, one a line.
set_from_environment() {
  local line
  if [[ $1 != --detail ]]; then
    set_option "$1" "$2"
    return
  fi
  while IFS= read -r line; do
    [[ ! $line ]] || ci_details+=("$line")
  done <<<"$2"
}

check_options() {
  local flag
  for flag in broker fingerprint door resource; do
    [[ ${config[$flag]-} ]] || usage_error "--$flag is missing"
  done
  is_name "$ci_action" || usage_error '--action is missing or no name: use a-z 0-9 . _ @ : + -'
  is_name "$ci_requester" || usage_error '--requester is missing or no name: use a-z 0-9 . _ @ : + -'
  [[ $ci_audience =~ ^[A-Za-z0-9._~:/-]{1,256}$ ]] || usage_error '--oidc-audience is not one that a token can be asked for'
  if [[ $ci_trust_broker == yes ]]; then
    [[ ! ${config[signers]}${config[revoked-keys]} ]] ||
      usage_error '--trust-broker excludes --signers and --revoked-keys'
  else
    [[ ${config[signers]} ]] ||
      usage_error '--signers FILE is missing: whose signatures count (or --trust-broker, if the broker alone shall decide)'
    type -P ssh-keygen >/dev/null ||
      usage_error 'there is no ssh-keygen, so no signature can be verified: only --trust-broker is possible here'
  fi
  # They are paths where they are not empty, see above.
  local key=${config[key]} signers=${config[signers]}
  config[key]=/dev/null config[signers]=/dev/null config[state]=/dev/null
  check_config 'countersign-ci'
  config[key]=$key config[signers]=$signers
  ((${#ci_command[@]} == 0)) && return
  ci_executable=$(type -P -- "${ci_command[0]}") || usage_error "there is no program ${ci_command[0]@Q}"
  [[ $ci_executable == /* ]] || ci_executable=$PWD/$ci_executable
}

# usage_error TEXT
usage_error() {
  shut usage "$1; see countersign-ci --help"
}
