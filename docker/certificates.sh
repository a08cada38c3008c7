#!/bin/bash
# certificates.sh AUTHORITY TRUST NODES
# Make an authority in the folder AUTHORITY and a certificate in each folder NODES/<name of the node>; what is there
# already stays as it is. The authority's certificate goes to TRUST too, for those who ask the nodes.
set -euo pipefail
authority=$1 trust=$2 nodes=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_authority() {
  elasticsearch-certutil ca --silent --pem --days 3650 --out "$work/ca.zip"
  unzip -q "$work/ca.zip" -d "$work"
  install -m 0600 "$work/ca/ca.key" "$authority/ca.key"
  install -m 0644 "$work/ca/ca.crt" "$authority/ca.crt"
}

make_node() {
  local name=$1 folder=$2
  elasticsearch-certutil cert --silent --pem --days 1095 --name "$name" --dns "$name,localhost" --ip 127.0.0.1 \
    --ca-cert "$authority/ca.crt" --ca-key "$authority/ca.key" --out "$work/$name.zip"
  unzip -q "$work/$name.zip" -d "$work"
  # A node runs with the group that made this, 0.
  install -m 0640 "$work/$name/$name.key" "$folder/node.key"
  install -m 0644 "$work/$name/$name.crt" "$folder/node.crt"
  # Last, because it says that the two others are there and whose they are.
  install -m 0644 "$authority/ca.crt" "$folder/ca.crt"
}

[ -f "$authority/ca.crt" ] || make_authority
install -m 0644 "$authority/ca.crt" "$trust/ca.crt"
for folder in "$nodes"/*/; do
  cmp -s "$authority/ca.crt" "$folder/ca.crt" || make_node "$(basename "$folder")" "$folder"
done
