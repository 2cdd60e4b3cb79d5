while read -r instance region hops; do
  if aws ec2 modify-instance-metadata-options --region "$region" \
    --instance-id "$instance" --http-put-response-hop-limit "$hops" >/dev/null </dev/null
  then echo "$instance: the hop limit is $hops"
  else echo "$instance: FAILED" >&2
  fi
done <<'END'
{{range .Instances}}{{.ID}} {{$.RegionOf .}} {{hops .HopLimit}}
{{end}}END
