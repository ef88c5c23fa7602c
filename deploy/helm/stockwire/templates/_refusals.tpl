{{/*
What no schema can say: values that contradict each other, each with its field and the fix. All of them at once, so that nobody
mends one to meet the next.
*/}}
{{- define "stockwire.refuse" -}}
{{- $wrong := concat
      (include "stockwire.refuseImage" . | fromYamlArray)
      (include "stockwire.refuseSecrets" . | fromYamlArray)
      (include "stockwire.refusePublic" . | fromYamlArray)
      (include "stockwire.refusePods" . | fromYamlArray)
      (include "stockwire.refuseScaling" . | fromYamlArray)
      (include "stockwire.refuseRollouts" . | fromYamlArray)
      (include "stockwire.refuseStreams" . | fromYamlArray)
      (include "stockwire.refuseNetwork" . | fromYamlArray) }}
{{- if $wrong }}
{{- fail (printf "\n\n%s\n" (join "\n" $wrong)) }}
{{- end }}
{{- end }}

{{- define "stockwire.refuseImage" -}}
{{- if not .Values.image.repository }}
- "image.repository is empty: name the registry and repository that you pushed the image to"
{{- end }}
{{- if not (or .Values.image.tag .Values.image.digest) }}
- "image.tag is empty: name the tag, or a digest in image.digest"
{{- end }}
{{- end }}

{{- define "stockwire.refuseSecrets" -}}
{{- $needed := list "database" "broker" "hubKey" }}
{{- if not .Values.tokens.keySetUrl }}{{ $needed = append $needed "token" }}{{ end }}
{{- if .Values.console.enabled }}{{ $needed = append $needed "consoleKey" }}{{ end }}
{{- if .Values.channels.enabled }}{{ $needed = concat $needed (list "channelsKey" "sealingKeys") }}{{ end }}
{{- if .Values.exporter.enabled }}{{ $needed = append $needed "exporterKey" }}{{ end }}
{{- range $component := list "relay" "intake" }}
{{- $own := index $.Values $component }}
{{- if $own.enabled }}{{ $needed = append $needed (printf "%sKey" $component) }}{{ end }}
{{- if and $own.enabled $own.user }}{{ $needed = append $needed (printf "%sPassword" $component) }}{{ end }}
{{- end }}
{{- range $needed }}
{{- if not (index $.Values.secrets .).name }}
- "secrets.{{ . }}.name is empty: name the Secret that holds it"
{{- end }}
{{- end }}
{{- with .Values.tokens }}
{{- if and .keySetUrl $.Values.secrets.token.name }}
- "tokens.keySetUrl and secrets.token.name are both set: tokens are signed by one or the other, leave one out"
{{- end }}
{{- if and .keySetUrl (not (and .issuer .audience)) }}
- "tokens.keySetUrl needs tokens.issuer and tokens.audience: set what the provider's tokens have as iss and aud"
{{- end }}
{{- if and .keySetUrl (not (hasPrefix "https://" .keySetUrl)) }}
- "tokens.keySetUrl={{ .keySetUrl }} could be answered by anybody on the way: write https://"
{{- end }}
{{- if and $.Values.secrets.signingKeys.name (not .keySetUrl) }}
- "secrets.signingKeys.name is of no use without tokens.keySetUrl: leave it out"
{{- end }}
{{- end }}
{{- with .Values.postgresql }}
{{- $named := or .authorities.secret .authorities.configMap }}
{{- if and (hasPrefix "verify-" .sslMode) (not $named) }}
- "postgresql.sslMode={{ .sslMode }} has nobody to believe: name who signed the certificate in postgresql.authorities, {secret: NAME} or {configMap: NAME}"
{{- end }}
{{- if and $named (not (hasPrefix "verify-" .sslMode)) }}
- "postgresql.authorities is of no use with postgresql.sslMode='{{ .sslMode }}': set it to verify-full"
{{- end }}
{{- end }}
{{- if and .Values.tls.secret (not .Values.tls.authorities) }}
- "tls.secret needs tls.authorities: name the ConfigMap with the ca.crt that hubs are to believe of ledgers"
{{- end }}
{{- if and .Values.tls.authorities (not .Values.tls.secret) }}
- "tls.authorities is of no use without tls.secret: name the pods' certificate there"
{{- end }}
{{- end }}

{{- define "stockwire.refusePublic" -}}
{{- $hosts := dict }}
{{- range $name := list "ledger" "hubs" "console" "channels" }}
{{- $url := index $.Values.public $name }}
{{- $runs := or (has $name (list "ledger" "hubs")) (and (hasKey $.Values $name) (index $.Values $name).enabled) }}
{{- if and (not $url) $runs (ne $name "channels") }}
- "public.{{ $name }} is empty: set the https:// URL by which it is reached"
{{- else if and $url (not $runs) }}
- "public.{{ $name }}={{ $url }} leads nowhere: set {{ $name }}.enabled to true, or leave it out"
{{- else if $url }}
{{- if not (hasPrefix "https://" $url) }}
- "public.{{ $name }}={{ $url }} is public without TLS, and keys and tokens are sent as they are: write https://, with a certificate at the gateway"
{{- end }}
{{- $host := include "stockwire.hostname" $url }}
{{- if hasKey $hosts $host }}
- "public.{{ $name }}={{ $url }} has the host of public.{{ index $hosts $host }}, and both have paths below /v1: give it a host of its own"
{{- end }}
{{- $_ := set $hosts $host $name }}
{{- end }}
{{- end }}
{{- with .Values.routes }}
{{- if and .enabled (not .gateways) }}
- "routes.gateways is empty: name the Gateway, and its listener with a certificate in sectionName"
{{- end }}
{{- if and .others (not .enabled) }}
- "routes.others is of no use without routes.enabled: the release that has the routes shares them out"
{{- end }}
{{- range .others }}
{{- if eq .release $.Release.Name }}
- "routes.others names {{ .release }}, which is this release: set routes.weight"
{{- end }}
{{- end }}
{{- $weights := int .weight }}
{{- range .others }}{{ $weights = add $weights (int .weight) }}{{ end }}
{{- if not $weights }}
- "routes.weight=0 sends nobody anywhere: set it, or a weight of routes.others, above 0"
{{- end }}
{{- end }}
{{- range $name := list "hub.settings" "settings" }}
{{- $settings := eq $name "settings" | ternary $.Values.settings $.Values.hub.settings }}
{{- if and (eq (index $settings "STOCKWIRE_HUB_VISITORS" | default "0") "1") (not $.Values.trustedProxies) }}
- "{{ $name }}.STOCKWIRE_HUB_VISITORS=1 would count all visitors behind the gateway as one: name the gateway's networks in trustedProxies"
{{- end }}
{{- end }}
{{- end }}

{{- define "stockwire.refusePods" -}}
{{- range $component, $running := include "stockwire.components" . | fromYaml }}
{{- $own := index $.Values $component }}
{{- $needed := addf $own.preStopSeconds $running.stopSeconds }}
{{- if le (float64 $own.terminationGracePeriodSeconds) $needed }}
- "{{ $component }}.terminationGracePeriodSeconds={{ $own.terminationGracePeriodSeconds }} cuts it short: preStopSeconds={{ $own.preStopSeconds }} and the {{ $running.stopSeconds }} s that {{ eq $component "hub" | ternary "a drain (drainSeconds and 5 s)" "its end" }} may take are {{ $needed }} s, set it above"
{{- end }}
{{- $pods := int $own.replicas }}
{{- $field := printf "%s.replicas" $component }}
{{- if and (eq $component "hub") $own.autoscaling.enabled }}
{{- $pods = int $own.autoscaling.minReplicas }}
{{- $field = "hub.autoscaling.minReplicas" }}
{{- end }}
{{- if hasKey $own.disruptions "minAvailable" }}
{{- if ge (int $own.disruptions.minAvailable) $pods }}
- "{{ $component }}.disruptions.minAvailable={{ $own.disruptions.minAvailable }} with {{ $field }}={{ $pods }} lets no node be drained: set it below, or more pods"
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stockwire.refuseScaling" -}}
{{- with .Values.hub.autoscaling }}
{{- if .enabled }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
- "hub.autoscaling.minReplicas={{ .minReplicas }} is above maxReplicas={{ .maxReplicas }}: swap them"
{{- end }}
{{- $places := mul (index $.Values.hub.settings "STOCKWIRE_HUB_CONNECTIONS_MAX" | default "20000" | int64) (int $.Values.hub.workers) }}
{{- if ge (int64 .connectionsPerPod) $places }}
- "hub.autoscaling.connectionsPerPod={{ int64 .connectionsPerPod }} is never passed, since a pod takes {{ $places }} connections (STOCKWIRE_HUB_CONNECTIONS_MAX times workers): set it below"
{{- end }}
{{- if not (dig "requests" "cpu" "" $.Values.hub.resources) }}
- "hub.autoscaling.cpuPercent is a share of what is asked for: set hub.resources.requests.cpu"
{{- end }}
{{- if and (eq .source "keda") (not .prometheusUrl) }}
- "hub.autoscaling.source=keda has nobody to ask: set hub.autoscaling.prometheusUrl"
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stockwire.refuseRollouts" -}}
{{- with .Values.rollouts }}
{{- if .enabled }}
{{- if not .prometheusUrl }}
- "rollouts.enabled has nobody to judge what is new: set rollouts.prometheusUrl"
{{- end }}
{{- if not $.Values.podMonitor.enabled }}
- "rollouts.enabled needs podMonitor.enabled, whose label tells the metrics of what is new from those of what was: set it to true"
{{- end }}
{{- $interval := $.Values.podMonitor.interval }}
{{- $of := ternary (dict "unit" "ms" "most" 20000) (dict "unit" "s" "most" 20) (hasSuffix "ms" $interval) }}
{{- if or (hasSuffix "m" $interval) (gt (trimSuffix $of.unit $interval | int) (int $of.most)) }}
- "podMonitor.interval={{ $interval }} leaves a minute of a rollout without enough to judge it by: set it to 20s at most"
{{- end }}
{{- if and $.Values.routes.enabled (or $.Values.routes.others (ne (int $.Values.routes.weight) 100)) }}
- "routes.others and routes.weight share out what rollouts.enabled shares out itself: leave them out, or rollouts"
{{- end }}
{{- $before := 0 }}
{{- range .weights }}
{{- if le (int .) $before }}
- "rollouts.weights has {{ . }} after {{ $before }}: let them rise"
{{- end }}
{{- $before = int . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stockwire.refuseStreams" -}}
{{- range $component, $field := dict "relay" "to" "intake" "from" }}
{{- $own := index $.Values $component }}
{{- $url := index $own $field }}
{{- $password := (index $.Values.secrets (printf "%sPassword" $component)).name }}
{{- $named := or $own.authorities.secret $own.authorities.configMap }}
{{- if $own.enabled }}
{{- if not $url }}
- "{{ $component }}.{{ $field }} is empty: name the message broker, such as kafkas://kafka.kafka.svc:9093"
{{- else if and $named (not (regexMatch "^(kafkas|tls|rabbitmqs)://" $url)) }}
- "{{ $component }}.authorities is of no use with {{ $component }}.{{ $field }}={{ $url }}: write kafkas://, tls:// or rabbitmqs://"
{{- end }}
{{- if and $password (not $own.user) }}
- "secrets.{{ $component }}Password.name is of no use without {{ $component }}.user: name the user that it is of"
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stockwire.refuseNetwork" -}}
{{- with .Values.tracing }}
{{- $named := or .authorities.secret .authorities.configMap }}
{{- range $field, $given := dict "settings" .settings "headers" .headers.name "authorities" $named }}
{{- if and $given (not $.Values.tracing.endpoint) }}
- "tracing.{{ $field }} is of no use without tracing.endpoint: name the collector, or leave it out"
{{- end }}
{{- end }}
{{- if and $named (hasPrefix "http://" .endpoint) }}
- "tracing.authorities is of no use with tracing.endpoint={{ .endpoint }}: write https://"
{{- end }}
{{- end }}
{{- with .Values.networkPolicy }}
{{- if .enabled }}
{{- $needed := list "gateway" "postgresql" "broker" "dns" }}
{{- if or $.Values.podMonitor.enabled $.Values.exporter.enabled }}{{ $needed = append $needed "monitoring" }}{{ end }}
{{- if or $.Values.relay.enabled $.Values.intake.enabled }}{{ $needed = append $needed "streams" }}{{ end }}
{{- if $.Values.tokens.keySetUrl }}{{ $needed = append $needed "identityProvider" }}{{ end }}
{{- if $.Values.tracing.endpoint }}{{ $needed = append $needed "collector" }}{{ end }}
{{- range $needed }}
{{- if not (index $.Values.networkPolicy .) }}
- "networkPolicy.{{ . }} is empty, which Kubernetes takes for everybody: name its pods, namespaces or networks, or set networkPolicy.enabled to false"
{{- end }}
{{- end }}
{{- range $name := list "gateway" "monitoring" "postgresql" "broker" "identityProvider" "collector" "streams" }}
{{- range index $.Values.networkPolicy $name }}
{{- if has (dig "ipBlock" "cidr" "" .) (list "0.0.0.0/0" "::/0") }}
- "networkPolicy.{{ $name }} lets everybody through: name the networks that are meant"
{{- end }}
{{- end }}
{{- end }}
{{- else if not $.Values.tls.secret }}
- "networkPolicy.enabled=false lets whoever is in the cluster pass by the gateway, which alone encrypts: set it to true, or name a certificate of the pods in tls.secret"
{{- end }}
{{- end }}
{{- end }}
