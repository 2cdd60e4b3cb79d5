<?php
function call(string $method, string $path, array $fields): string|false
{
    $http = ['method' => $method, 'header' => $fields, 'timeout' => 2];
    return @file_get_contents(getenv('BASE') . $path, false, stream_context_create(['http' => $http]));
}

for ($i = 0; $i < (int) getenv('ROUNDS'); $i++) {
    $fields = [];
    if (getenv('FLOW') === 'v2') {
        $token = call('PUT', '/latest/api/token', ['X-aws-ec2-metadata-token-ttl-seconds: 60', 'Content-Length: 0']);
        if ($token !== false) {
            $fields[] = "X-aws-ec2-metadata-token: $token";
        }
    }
    call('GET', '/latest/meta-data/public-keys/', $fields);
    call('GET', '/latest/meta-data/absent', $fields);
    usleep(1000 * (int) getenv('PAUSE'));
}
