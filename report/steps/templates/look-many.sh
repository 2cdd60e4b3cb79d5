while read -r instance region; do
  aws ec2 describe-instances --region "$region" --instance-ids "$instance" --output text \
    --query 'Reservations[].Instances[].[InstanceId,MetadataOptions.HttpPutResponseHopLimit]' \
    </dev/null
done <<'END'
{{range .Instances}}{{.ID}} {{$.RegionOf .}}
{{end}}END
