require 'net/http'

base = URI(ENV['BASE'])
ENV['ROUNDS'].to_i.times do
  begin
    Net::HTTP.start(base.hostname, base.port, nil, nil, open_timeout: 2, read_timeout: 2) do |http|
      fields = {}
      if ENV['FLOW'] == 'v2'
        answer = http.send_request('PUT', '/latest/api/token', '', 'X-aws-ec2-metadata-token-ttl-seconds' => '60')
        fields['X-aws-ec2-metadata-token'] = answer.body if answer.is_a?(Net::HTTPSuccess)
      end
      http.get('/latest/meta-data/local-ipv4', fields)
      http.get('/latest/meta-data/absent', fields)
    end
  rescue SystemCallError, Timeout::Error, EOFError
    # The service has its reasons.
  end
  sleep ENV['PAUSE'].to_f / 1000
end
