aws ec2 create-launch-template-version --region {{.Region}} \
  --launch-template-id LAUNCH_TEMPLATE_ID --source-version PREVIOUS_VERSION \
  --version-description 'does not require IMDSv2' \
  --launch-template-data '{"MetadataOptions":{"HttpTokens":"optional"{{with .HopLimit}},"HttpPutResponseHopLimit":{{.}}{{end}}}}'
# NEW_VERSION is the VersionNumber that this prints.
aws ec2 modify-launch-template --region {{.Region}} \
  --launch-template-id LAUNCH_TEMPLATE_ID --default-version NEW_VERSION
