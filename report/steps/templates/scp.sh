aws organizations create-policy --type SERVICE_CONTROL_POLICY --name require-imdsv2 \
  --description 'Instances require IMDSv2' --content file://require-imdsv2-scp.json
# POLICY_ID is the Id that this prints; TARGET_ID is of the root, a unit or an account.
aws organizations attach-policy --policy-id POLICY_ID --target-id TARGET_ID
