package diagnosis

// Explanation is what there is to say of a finding, in sentences.
type Explanation struct {
	Evidence string // what was seen
	Meaning  string // what follows from it
	Fix      string // what to do
}

// Explain explains a finding. It reports false if there is none of that id.
func Explain(f Finding) (Explanation, bool) {
	for i := range catalogue {
		if catalogue[i].id == f {
			return catalogue[i].Explanation, true
		}
	}
	return Explanation{}, false
}

// catalogue has all findings, in the order in which those of a call stand; docs/findings.md
// is made of it. What the service answers, and what its hop limit does, is from the EC2 user
// guide, "Use the Instance Metadata Service to access instance metadata" and "Configure the
// instance metadata options".
var catalogue = [...]struct {
	id Finding
	Explanation
}{
	{FallbackRefused, Explanation{
		Evidence: "A token request of the same client was answered with another status than 2xx, and none after it has brought a token. imds.fallback has the status, the time, and what ties both together: process and connection are proof, script, user_agent and timing are weaker.",
		Meaning:  "The software speaks version 2, and went on without a token because it got none. Many SDKs then ask for none again for hours, or until the process ends. With version 1 disabled its calls fail.",
		Fix:      "The software need not be changed. Find what had the token request refused, by its status. 403: a proxy has added an X-Forwarded-For header, the token was asked for at another path than /latest/api/token, or the instance's metadata service is disabled. 400: the header with the token's time to live is missing, or not between 1 and 21600 seconds. 417: the request has the header Expect: 100-continue. 404 and 405: another program answers in place of the service. Then restart the program, so that it asks anew.",
	}},
	{FallbackUnanswered, Explanation{
		Evidence: "A token request of the same client had no answer while the client waited for one, and none after it has brought a token. imds.fallback has the time, and what ties both together.",
		Meaning:  "The software speaks version 2, and went on without a token when its patience was at an end. With version 1 disabled its calls fail.",
		Fix:      "The software need not be changed. Find what lets plain requests pass and keeps back this one, or its answer: a firewall or a service mesh that has rules for methods, a proxy that holds PUT requests back, or, for a container, a hop limit of the instance that is too small for the answer to come so far. Then restart the program, so that it asks anew.",
	}},
	{FallbackReset, Explanation{
		Evidence: "The connection of a token request of the same client was reset by the other end before there was an answer, and no request after it has brought a token. imds.fallback has the time, and what ties both together.",
		Meaning:  "The software speaks version 2, and went on without a token because it got none. With version 1 disabled its calls fail.",
		Fix:      "The software need not be changed. The service resets no connections by itself: find the firewall, the service mesh or the proxy between that does. Then restart the program, so that it asks anew.",
	}},
	{FallbackUndelivered, Explanation{
		Evidence: "A token request of the same client was answered, and the answer did not come to the client; none after it has brought a token. imds.fallback has the time, and what ties both together.",
		Meaning:  "The software speaks version 2, and went on without a token because none came. With version 1 disabled its calls fail.",
		Fix:      "The software need not be changed. Mostly the hop limit of the instance is too small for a container: raise it, to 2 for a container behind one bridge, or let the container use the host's network, or give it credentials of its own, as pods and tasks can have. Then restart the program, so that it asks anew.",
	}},
	{TokenRefused, Explanation{
		Evidence: "A token request was answered with another status than 2xx.",
		Meaning:  "The client has no token. What software that speaks version 1 as well does next is to call without one.",
		Fix:      "Look at the status. 403: a proxy has added an X-Forwarded-For header, the token was asked for at another path than /latest/api/token, or the instance's metadata service is disabled. 400: the header with the token's time to live is missing, or not between 1 and 21600 seconds. 417: the request has the header Expect: 100-continue. 404 and 405: another program answers in place of the service.",
	}},
	{TokenUnanswered, Explanation{
		Evidence: "To a token request no answer was seen before the client gave up.",
		Meaning:  "The client has no token. SDKs wait for a second or so, try again, and then call without one, so that their start is slow as well.",
		Fix:      "Look for what lets plain requests pass and not this one: a firewall or a service mesh that has rules for methods, a proxy that holds PUT requests back. If the service's answer does not come as far as the capture, capture nearer to it.",
	}},
	{TokenReset, Explanation{
		Evidence: "The connection of a token request was reset by the other end before there was an answer.",
		Meaning:  "The client has no token. What software that speaks version 1 as well does next is to call without one.",
		Fix:      "The service resets no connections by itself: look for a firewall, a service mesh or a proxy between that does.",
	}},
	{HopLimit, Explanation{
		Evidence: "The answer to a token request was seen with a hop limit (imds.response_ttl) that is too small for the routers between there and the client, whose own packets tell how many there are, and did not come to the client: that never acknowledged it, and it was sent again, the request was repeated, the client gave up, or a router said that the hop limit was exceeded.",
		Meaning:  "Answers to token requests start with the hop limit that is among the instance's metadata options, and each router on the way takes one of it; the bridge of a container is a router. Other answers have the usual limit, so calls without a token work.",
		Fix:      "Raise the limit to N, which is what it is now and as much more as the answer falls short by (in the log, imds.response_ttl_needed less imds.response_ttl): aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit N. For a container behind one bridge N is 2. Or let the container use the host's network, or give it credentials of its own, as pods and tasks can have.",
	}},
	{ForwardedFor, Explanation{
		Evidence: "The token request has an X-Forwarded-For header, and was refused with 401 or 403, or with 400 although it asks for a time to live that is allowed.",
		Meaning:  "The service gives no tokens to requests that a proxy has passed on: that keeps those who get at an open proxy from the credentials of the instance.",
		Fix:      "Have the program call the service itself: put 169.254.169.254 and fd00:ec2::254 into NO_PROXY, and leave these addresses out of what is redirected to the proxy.",
	}},
	{ExpectContinue, Explanation{
		Evidence: "The token request has the header Expect: 100-continue, and was answered with 417.",
		Meaning:  "The client wants to be told to go on before it sends a body, though the request has none, and what answers does not do that.",
		Fix:      "Have the client send no such header: curl -H 'Expect:', in .NET ServicePointManager.Expect100Continue = false. If a proxy adds it, let these requests pass by the proxy.",
	}},
	{DatedTokenPath, Explanation{
		Evidence: "The token was asked for below a version of the metadata, as at /2021-01-03/api/token, and refused with 403.",
		Meaning:  "There are tokens at /latest/api/token alone, whatever version of the metadata is asked for with them.",
		Fix:      "Ask for the token at /latest/api/token. The other requests can stay as they are.",
	}},
	{TokenEmpty, Explanation{
		Evidence: "The header for the token is there and has no value.",
		Meaning:  "Whoever sent it failed to get a token, and did not notice. The call counts as one of version 2 all the same; with version 1 disabled it fails.",
		Fix:      "Let the script stop when it gets no token (set -e, curl -f), and look at its token request, which is the one before.",
	}},
	{TokenErrorPage, Explanation{
		Evidence: "The header for the token holds what no token can, such as blanks or markup.",
		Meaning:  "The text of an error was taken for the token: the token request was refused, and whoever sent it looked at the body and not at the status.",
		Fix:      "Let the script stop when the token request is refused (curl -f), and look at why it was.",
	}},
	{TokenRejected, Explanation{
		Evidence: "A call with a token was answered with 401.",
		Meaning:  "The token is not valid: it has expired, is another instance's, as in an image that was made of a running one, or was cut short. With version 1 disabled the call fails in the same way.",
		Fix:      "One now and then is how clients notice that a token has expired: they ask for another. If it is always so, look where the program keeps its token; it belongs in memory.",
	}},
	{TokenExpired, Explanation{
		Evidence: "A token request by a client whose last call was answered with 401, after others with a token that were not.",
		Meaning:  "The token had expired, and the client asks for another. That is as it should be.",
		Fix:      "Nothing is to be done. If it happens often, ask for a longer time to live: up to 21600 seconds.",
	}},
	{OldSoftware, Explanation{
		Evidence: "A call without a token by software of a version that does not speak version 2, or not for all of its calls: by the User-Agent, or the package or container image that it is from. No token request of it was seen to fail.",
		Meaning:  "The software cannot do without version 1. With that disabled its calls fail.",
		Fix:      "Upgrade it at least to the first version that speaks version 2, which its change log or its documentation tells. A program that was built with a library has to be built again with the newer one. The distribution may have repaired an older version: look at its change log.",
	}},
	{V2Capable, Explanation{
		Evidence: "A call without a token by software of a version that speaks version 2. No token request of it was seen to fail.",
		Meaning:  "This is no cause. Either a token request failed before the capture began, or the software was told not to ask for tokens, or it makes some of its calls without, as a few do.",
		Fix:      "Restart the program while the capture runs, and see what becomes of its first token request. If it sends none, look at its settings, by which it may be told to ask for none, and at its documentation for calls that it makes without.",
	}},
	{Script, Explanation{
		Evidence: "A call without a token by curl, wget, python or another tool of scripts, by its process or its User-Agent. No token request of the same script was seen to fail.",
		Meaning:  "A script that was written for version 1. imds.script and imds.ancestors say which one it is, where the process is known. With version 1 disabled it fails.",
		Fix:      "Let it get a token first, with the lines below, or take a program that does so by itself, such as ec2-metadata.",
	}},
	{OtherCloud, Explanation{
		Evidence: "The path is one of another cloud's metadata service, which has the same address.",
		Meaning:  "A program that runs in many clouds finds out in which one it is. The service does not have the path, and answers with 404.",
		Fix:      "Nothing is to be done: that version 1 is disabled makes no difference to it.",
	}},
	{LocalResponder, Explanation{
		Evidence: "The Server header of the answer is another than the service's own, EC2ws.",
		Meaning:  "What answers is a program in between, such as kube2iam or kiam, which stands in for the service. Such a call says nothing of the service, and what the program asks in its own name is a call by itself.",
		Fix:      "Look whether that program speaks version 2, to its clients and to the service. Pods can have roles of their own today (IAM roles for service accounts, EKS Pod Identity), which do without it.",
	}},
	{CredentialsOverV1, Explanation{
		Evidence: "A call without a token to a path that delivers the credentials of a role was answered with 2xx.",
		Meaning:  "The credentials carry ec2:RoleDelivery 1.0. Policies that demand 2.0 with this key refuse what is signed with them, whether version 1 is disabled or not.",
		Fix:      "Have the program call version 2: upgrade software that is too old for it, let scripts get a token first, and if the program asks for a token and gets none, find out why. Put policies with ec2:RoleDelivery into force only when there are no such calls any more.",
	}},
	{V1Refused, Explanation{
		Evidence: "A call without a token was answered with 401.",
		Meaning:  "Version 1 is disabled already, and this program calls with it: it fails, or does without what it has asked for.",
		Fix:      "Have the program call version 2: upgrade software that is too old for it, let scripts get a token first, and if the program asks for a token and gets none, find out why. Until then version 1 can be allowed again: aws ec2 modify-instance-metadata-options --instance-id ID --http-tokens optional.",
	}},
}
