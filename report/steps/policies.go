package steps

// scp, iam and watch keep it that way.
func scp(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "scp",
		Title: whenReady("Let no account of the organization go back", s.Ready),
		Text: "A service control policy that refuses launches without version 2, turning it back, more hops at launch than are needed, and credentials that version 1 gave. " +
			"Save the policy as require-imdsv2-scp.json. It does not hold for the management account.",
		Warning: "Launches that do not say that version 2 is required fail, and so do those of Auto Scaling groups whose launch configuration or template does not require it. Try it on one organizational unit first.",
		Ways: []Way{
			p.way("Policy require-imdsv2-scp.json", "require-imdsv2-scp.json"),
			p.way("AWS CLI", "scp.sh"),
		},
		Undo:   []Way{p.way("AWS CLI", "scp-undo.sh")},
		Source: userGuide + "ExamplePolicies_EC2.html#iam-example-instance-metadata",
	}}
}

func iam(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "iam",
		Title: whenReady("Refuse what is signed with credentials of version 1", s.Ready),
		Text: "A policy for the role of an instance: ec2:RoleDelivery is 1.0 for credentials that were got without a token. " +
			"Save it as require-imdsv2-role.json.",
		Warning: "Programs that got credentials over version 1 are refused at once, also while the instance still answers it.",
		Ways: []Way{
			p.way("Policy require-imdsv2-role.json", "require-imdsv2-role.json"),
			p.way("AWS CLI", "iam.sh"),
		},
		Undo:   []Way{p.way("AWS CLI", "iam-undo.sh")},
		Source: userGuide + "ExamplePolicies_EC2.html#iam-example-instance-metadata",
	}}
}

func watch(s *Situation) []Step {
	p := s.page()
	if len(s.Instances) == 1 {
		p = p.of(&s.Instances[0])
	}
	return []Step{{
		ID:    "watch",
		Title: "Be told of calls of version 1 from then on",
		Text: "MetadataNoToken counts those that succeed, MetadataNoTokenRejected those that are refused as version 2 is required. " +
			"The alarms over all instances are for one region each.",
		Ways: []Way{
			p.way("AWS CLI, one instance", "watch.sh"),
			p.way("AWS CLI, all instances of a region", "watch-all.sh"),
		},
		Undo:   []Way{p.way("AWS CLI, one instance", "watch-undo.sh"), p.way("AWS CLI, all instances of a region", "watch-all-undo.sh")},
		Source: userGuide + "viewing_metrics_with_cloudwatch.html",
	}}
}
