aws organizations detach-policy --policy-id POLICY_ID --target-id TARGET_ID
