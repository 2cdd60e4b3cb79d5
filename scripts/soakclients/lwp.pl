use strict;
use warnings;
use LWP::UserAgent;

my $agent = LWP::UserAgent->new(timeout => 2, keep_alive => $ENV{FLOW} eq 'v2');
for (1 .. $ENV{ROUNDS}) {
    my @token;
    if ($ENV{FLOW} eq 'v2') {
        my $answer = $agent->put("$ENV{BASE}/latest/api/token", 'X-aws-ec2-metadata-token-ttl-seconds' => 60);
        @token = ('X-aws-ec2-metadata-token' => $answer->content) if $answer->is_success;
    }
    $agent->get("$ENV{BASE}/latest/meta-data/ami-id", @token);
    $agent->head("$ENV{BASE}/latest/meta-data/ami-id", @token);
    select undef, undef, undef, $ENV{PAUSE} / 1000;
}
