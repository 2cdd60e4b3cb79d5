while read -r instance region; do
  if aws ec2 modify-instance-metadata-options --region "$region" \
    --instance-id "$instance" --http-tokens {{.Tokens}} >/dev/null </dev/null
  then echo "$instance: version 2 is {{.Tokens}}"
  else echo "$instance: FAILED" >&2
  fi
done <<'END'
{{range .Instances}}{{.ID}} {{$.RegionOf .}}
{{end}}END
