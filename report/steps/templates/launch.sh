aws ec2 run-instances --region {{.Region}} --image-id IMAGE_ID --instance-type INSTANCE_TYPE \
  --metadata-options HttpEndpoint=enabled,HttpTokens=required{{with .HopLimit}},HttpPutResponseHopLimit={{.}}{{end}}
