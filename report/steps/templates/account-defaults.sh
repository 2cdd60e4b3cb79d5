aws ec2 modify-instance-metadata-defaults --region {{.Region}} \
  --http-tokens required{{with .HopLimit}} --http-put-response-hop-limit {{.}}{{end}}
