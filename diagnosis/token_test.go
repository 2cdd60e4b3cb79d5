package diagnosis

import (
	"testing"
	"time"

	"imds-analyzer/imds"
)

func TestCauses(t *testing.T) {
	scenes(t, map[string][]*step{
		"forwarded, 401":           {put(401).via("10.9.0.1").wants("token-refused,forwarded-for")},
		"forwarded, 400":           {put(400).via("10.9.0.1").wants("token-refused,forwarded-for")},
		"forwarded, and taken":     {put(200).via("10.9.0.1")},
		"forwarded, not found":     {put(404).via("10.9.0.1").wants(refused)},
		"forwarded, server error":  {put(503).via("10.9.0.1").wants(refused)},
		"forwarded, unanswered":    {put(0).via("10.9.0.1").wants(unanswered)},
		"forwarded, without a TTL": {put(400).via("10.9.0.1").noTTL().wants(refused)},
		"not forwarded":            {put(403).wants(refused)},

		"expectation failed":          {put(417).expect().wants("token-refused,expect-continue")},
		"without expectation":         {put(417).wants(refused)},
		"expectation, another status": {put(403).expect().wants(refused)},

		"dated path":                     {put(403).path("/2021-01-03/api/token").wants("token-refused,dated-token-path")},
		"first version's path":           {put(403).path("/1.0/api/token").wants("token-refused,dated-token-path")},
		"dated path, another status":     {put(404).path("/2021-01-03/api/token").wants(refused)},
		"dated path, taken":              {put(200).path("/2021-01-03/api/token")},
		"the right path":                 {put(403).path("//latest/api/token").wants(refused)},
		"dated and forwarded":            {put(403).path("/1.0/api/token").via("10.9.0.1").wants("token-refused,forwarded-for,dated-token-path")},
		"no path of a token":             {put(403).path("/2021-01-03/meta-data/").wants(refused)},
		"hop limit of 1":                 {put(200).lost(1, 2).wants("hop-limit")},
		"hop limit of 1, no router":      {put(200).lost(1, 0)},
		"hop limit of 2 where 3 are due": {put(200).lost(2, 3).wants("hop-limit")},
		"hop limit of 2":                 {put(200).lost(2, 2)},
		"hop limit of 1, too late":       {put(200).lost(1, 0).late().wants("token-unanswered")},
		"hop limit of 1, late, routers":  {put(200).lost(1, 2).late().wants("hop-limit")},
		"hop limit not known":            {put(200).lost(0, 2)},
		"hop limit of 1, delivered":      {func() *step { s := put(200).lost(1, 2); s.Call.Response.Delivery = imds.Acknowledged; return s }()},
		"hop limit of 1, not known": {
			func() *step { s := put(200).lost(1, 2); s.Call.Response.Delivery = imds.DeliveryUnknown; return s }()},
		"refused with a hop limit of 1": {put(403).lost(1, 2).wants(refused)},
		"end of capture":                {func() *step { s := put(0); s.Call.Unanswered = false; return s }()},
		"cut off and refused":           {func() *step { s := put(403); s.Call.Request.Incomplete = imds.LostSegment; return s }().wants(refused)},
	})
}

func TestTokens(t *testing.T) {
	const page = "token-error-page"
	scenes(t, map[string][]*step{
		"empty":              {use(401).token(imds.EmptyToken).wants("token-empty")},
		"empty, and taken":   {use(200).token(imds.EmptyToken).wants("token-empty")},
		"an error page":      {use(401).token(imds.NotAToken).wants(page)},
		"rejected":           {use(401).wants("token-rejected")},
		"not looked at":      {use(401).token(imds.NoToken).wants("token-rejected")},
		"taken":              {use(200)},
		"of what is not":     {use(404)},
		"another's server":   {use(200).server("kiam").wants("local-responder")},
		"the service's":      {use(200).server("EC2ws")},
		"another's refusal":  {put(404).server("kiam").wants("token-refused,local-responder")},
		"no server is told":  {use(200).server("")},
		"v1 is refused":      {func() *step { s := get(); s.Call.Response.Status = 401; return s }().wants("v1-refused")},
		"v1 has no answer":   {func() *step { s := get(); s.Call.Response = nil; return s }()},
		"credentials by v1":  {get().path("/latest/meta-data/iam/security-credentials/app").wants("credentials-over-v1")},
		"whether there are":  {func() *step { s := get(); s.Call.Request.Method = "HEAD"; return s }().path("/latest/meta-data/iam/security-credentials/app")},
		"roles by v1":        {get().path("/latest/meta-data/iam/security-credentials/")},
		"credentials by v2":  {use(200).path("/latest/meta-data/iam/security-credentials/app")},
		"none by v1":         {func() *step { s := get(); s.Call.Response.Status = 404; return s }().path("/latest/meta-data/iam/security-credentials/app")},
		"another's by v1":    {get().path("/latest/meta-data/iam/security-credentials/app").server("kiam").wants("local-responder")},
		"not known to be v1": {func() *step { s := get(); s.Call.Request.Incomplete = imds.Snaplen; return s }()},
	})
}

func TestExpiredToken(t *testing.T) {
	const rejected, renewed = "token-rejected", "token-expired"
	scenes(t, map[string][]*step{
		"by a process": {
			put(200).by(7, 0), use(200).by(7, 0), use(401).by(7, 0).later(6 * time.Hour).wants(rejected),
			put(200).by(7, 0).wants(renewed),
			use(200).by(7, 0), put(200).by(7, 0).later(6 * time.Hour),
		},
		"by its User-Agent": {
			use(200), use(401).wants(rejected), put(200).wants(renewed), put(200),
		},
		"of a tool's library, at once": {
			use(200).agent(requests), use(401).agent(requests).wants(rejected), put(200).agent(requests).wants(renewed),
		},
		"of a tool's library, later": {
			use(200).agent(requests), use(401).agent(requests).wants(rejected), put(200).agent(requests).later(time.Minute),
		},
		"and refused": {
			use(200), use(401).wants(rejected), put(403).wants("token-refused,token-expired"),
		},
		"none was taken before": {
			use(401).wants(rejected), put(200),
		},
		"it was taken again": {
			use(200), use(401).wants(rejected), use(200), put(200),
		},
		"another process's": {
			use(200).by(7, 0), use(401).by(7, 0).wants(rejected), put(200).by(8, 0),
		},
		"an error page's": {
			use(200), use(401).token(imds.NotAToken).wants("token-error-page"), put(200),
		},
	})
}
