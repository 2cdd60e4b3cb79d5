aws ec2 modify-instance-metadata-defaults --region {{.Region}} \
  --http-tokens no-preference{{if .HopLimit}} --http-put-response-hop-limit -1{{end}}
