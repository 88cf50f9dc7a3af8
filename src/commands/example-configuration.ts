/** What `config init` writes; with all of its comments taken out it is a file that can be read. */
export const EXAMPLE_CONFIGURATION = `# Countersign: your brokers. Flags and COUNTERSIGN_* variables come before this file.
# See what is in force, and why: countersign config show

# The profile that is used where neither --profile nor COUNTERSIGN_PROFILE names one.
# profile: production

# The console: dark, light, colour-blind or none; nothing but ASCII; facts a line, for a screen reader.
# theme: light
# ascii: true
# screen-reader: true
# Where y and Y copy to: auto, tmux, osc52 or off.
# clipboard: auto

# profiles:
#   production:
#     # https://HOST:PORT or the path of a socket; or instead dir: its data directory.
#     url: https://approvals.example.com:7433
#     # CA certificates for https, instead of the system's.
#     ca: /etc/countersign/ca.pem
#     # The key to sign with, instead of the first one of yours that is enrolled.
#     key: ~/.ssh/id_ed25519_sk
#     # The name stands in the console's header on red, yellow, green, cyan, blue or magenta.
#     colour: red
#     # Show times in UTC instead of the zone of this machine.
#     utc: true
#     # How a new ask calls you: bell, osc9, osc777 or off; and hours, by your clock, in which none does.
#     notify: bell
#     quiet: 22:00-07:00
#     # Another theme for this broker alone.
#     theme: dark
#   staging:
#     url: https://approvals.staging.example.com:7433
#     colour: green
#   this-machine:
#     dir: /var/lib/countersign
#     # For serve and up: how long closed requests are kept. For ever unless given.
#     retain: 400d
#   deploy-job:
#     url: https://approvals.example.com:7433
#     # A file with the bearer token of a submitter.
#     token-file: ~/.config/countersign/deploy.token
`;
