aws ec2 modify-launch-template --region {{.Region}} \
  --launch-template-id LAUNCH_TEMPLATE_ID --default-version PREVIOUS_VERSION
