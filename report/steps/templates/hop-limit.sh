aws ec2 modify-instance-metadata-options --region {{.Region}} \
  --instance-id {{.Instance}} --http-put-response-hop-limit {{.HopLimit}}
