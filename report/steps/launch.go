package steps

// launch, launchTemplate, image and accountDefaults are for instances to come. Which of
// them decides is told in the user guide under "order of precedence".
func launch(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:     "launch",
		Title:  whenReady("Require version 2 at launch", s.Ready),
		Text:   "What is said at launch goes before what the account and the image say.",
		Ways:   []Way{p.way("AWS CLI", "launch.sh")},
		Undo:   []Way{p.of(nil).optional().way("AWS CLI", "require-running.sh")},
		Source: userGuide + "configuring-IMDS-new-instances.html",
	}}
}

func launchTemplate(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "launch-template",
		Title: whenReady("Require version 2 in launch templates", s.Ready),
		Text: "A new version of the template is as the latest one but for its metadata options: add those that the latest one sets. " +
			"Auto Scaling groups that use $Latest launch by it from the first command on, those that use $Default from the second; others have to be given its number. " +
			"Their running instances are replaced by an instance refresh, or changed one by one. PREVIOUS_VERSION is the default version before: the way back " +
			"makes it that again and deletes the new one, which $Latest would go on to use; or it makes one more version. " +
			"A refresh that is going on can be cancelled, and rolled back if it was started with a --desired-configuration that names the template's version by its number.",
		Warning: "An instance refresh ends running instances.",
		Ways: []Way{
			p.way("AWS CLI", "launch-template.sh"),
			p.way("AWS CLI, to replace the instances of an Auto Scaling group", "instance-refresh.sh"),
		},
		Undo: []Way{
			p.way("AWS CLI", "launch-template-undo.sh"),
			p.way("AWS CLI, with one more version", "launch-template-back.sh"),
			p.way("AWS CLI, to end an instance refresh", "instance-refresh-cancel.sh"),
			p.way("AWS CLI, to roll an instance refresh back", "instance-refresh-rollback.sh"),
		},
		Source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-launch-template.html",
	}}
}

func image(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "image",
		Title: whenReady("Mark images as made for version 2", s.Ready),
		Text:  "Instances of such an image require version 2 and have a hop limit of 2, unless the launch or the account says otherwise.",
		Warning: "ImdsSupport cannot be taken back: an image stays v2.0 for ever. Only a new image of the same snapshot is without it, " +
			"which here has neither the boot mode nor the TPM support of the first: add --boot-mode and --tpm-support as describe-images shows them. " +
			"Try a copy of the image first.",
		Ways: []Way{
			p.way("AWS CLI, an image that is there", "image.sh"),
			p.way("AWS CLI, a new image of a snapshot", "image-register.sh"),
		},
		Undo:   []Way{p.optional().way("AWS CLI, a new image without it", "image-register.sh")},
		Source: userGuide + "configuring-IMDS-new-instances.html#configure-IMDS-new-instances-ami-configuration",
	}}
}

func accountDefaults(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "account-defaults",
		Title: whenReady("Make version 2 the default of the account", s.Ready),
		Text: "The default is for launches that do not say otherwise, and goes before what the image says. It is set for each region, and changes no instance that is there. " +
			"Look first, and keep what it prints: the way back leaves no default, and restores none that was there before. " +
			"Enforcing it refuses launches that do not require version 2; the CLI has that option since February 2026.",
		Warning: "While it is enforced no instance that requires version 2 can be given version 1 back.",
		Ways: []Way{
			p.way("AWS CLI, to see what is set before", "account-look.sh"),
			p.way("AWS CLI", "account-defaults.sh"),
			p.way("AWS CLI, enforced", "account-enforce.sh"),
		},
		Undo:   []Way{p.way("AWS CLI, without a default", "account-defaults-undo.sh"), p.way("AWS CLI, enforced", "account-enforce-undo.sh")},
		Source: userGuide + "configuring-IMDS-new-instances.html#set-imdsv2-account-defaults",
	}}
}
