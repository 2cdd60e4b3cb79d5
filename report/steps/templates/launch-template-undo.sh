aws ec2 modify-launch-template --region {{.Region}} \
  --launch-template-id LAUNCH_TEMPLATE_ID --default-version PREVIOUS_VERSION
aws ec2 delete-launch-template-versions --region {{.Region}} \
  --launch-template-id LAUNCH_TEMPLATE_ID --versions NEW_VERSION
