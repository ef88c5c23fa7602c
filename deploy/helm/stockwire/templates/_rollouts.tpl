{{/*
How Argo Rollouts replaces ledgers and hubs, and what it asks Prometheus meanwhile. All by (dict "root" . "component" NAME).
*/}}

{{/* Whether a Rollout runs the component; else a Deployment does. Empty: no. */}}
{{- define "stockwire.rolls" -}}
{{- if and .root.Values.rollouts.enabled (has .component (list "ledger" "hub")) }}yes{{ end }}
{{- end }}

{{- define "stockwire.analysis" -}}
templates:
  - templateName: {{ include "stockwire.name" .root }}-{{ .component }}
args:
  - {name: revision, valueFrom: {podTemplateHashValue: Latest}}
{{- end }}

{{- define "stockwire.strategy.canary" -}}
{{- $name := include "stockwire.name" .root -}}
canary:
  maxSurge: 1
  maxUnavailable: 0
  {{- if .root.Values.routes.enabled }}
  stableService: {{ $name }}-{{ .component }}
  canaryService: {{ $name }}-{{ .component }}-next
  trafficRouting:
    plugins:
      argoproj-labs/gatewayAPI: {httpRoute: {{ $name }}-{{ .component }}, namespace: {{ .root.Release.Namespace }}}
  {{- end }}
  steps:
    {{- range .root.Values.rollouts.weights }}
    - setWeight: {{ int . }}
    # until rates over a minute are of this weight alone
    - pause: {duration: 1m}
    - analysis:
        {{- include "stockwire.analysis" $ | nindent 8 }}
    {{- end }}
{{- end }}

{{- define "stockwire.strategy.blueGreen" -}}
{{- $name := include "stockwire.name" .root -}}
blueGreen:
  activeService: {{ $name }}-{{ .component }}
  previewService: {{ $name }}-{{ .component }}-next
  autoPromotionEnabled: true
  {{- if eq .component "hub" }}
  # it follows the ledgers before anybody watches it; a ledger that nobody asks shows nothing
  prePromotionAnalysis:
    {{- include "stockwire.analysis" . | nindent 4 }}
  {{- end }}
  postPromotionAnalysis:
    {{- include "stockwire.analysis" . | nindent 4 }}
  # what was stays ready for as long as it is judged, and a minute more
  scaleDownDelaySeconds: {{ mul 60 (add .root.Values.rollouts.minutes 1) }}
{{- end }}

{{/* What selects metrics of the new pods alone, by (dict "root" . "more" TEXT). */}}
{{- define "stockwire.ofRevision" -}}
{namespace="{{ .root.Release.Namespace }}",rollouts_pod_template_hash="{{ "{{args.revision}}" }}"{{ with .more }},{{ . }}{{ end }}}
{{- end }}

{{/* Of Prometheus' answer to "query": a share, which is too much above "limit". No answer, and none for 0 of 0, says nothing. */}}
{{- define "stockwire.judgedShare" -}}
failureLimit: 2
inconclusiveLimit: 2
successCondition: len(result) == 1 && result[0] <= {{ .limit }}
failureCondition: len(result) == 1 && result[0] > {{ .limit }}
{{ include "stockwire.asked" . }}
{{- end }}

{{- define "stockwire.asked" -}}
# Without an answer of Prometheus nothing is decided: it asks on, and stays at its weight. By default the fifth silence would end it.
consecutiveErrorLimit: 1000000
provider:
  prometheus:
    address: {{ .root.Values.rollouts.prometheusUrl | quote }}
    query: |
      {{- .query | nindent 6 }}
{{- end }}

{{/* Each by the root: what stands below a metric of an AnalysisTemplate. */}}

{{- define "stockwire.judged.ledger.answered" -}}
{{- $failed := include "stockwire.ofRevision" (dict "root" . "more" "outcome=\"failed\"") }}
{{- $all := include "stockwire.ofRevision" (dict "root" . "more" "outcome=~\"ok|refused|failed\"") }}
{{- include "stockwire.judgedShare" (dict "root" . "limit" .Values.rollouts.limits.failed "query" (printf
      "sum(rate(stockwire_ledger_request_seconds_count%s[1m]))\n/\nsum(rate(stockwire_ledger_request_seconds_count%s[1m]))" $failed $all)) }}
{{- end }}

{{/* Of all ledgers together: one violation is too many, also one found while the next weight was prepared. An audit that is behind has not seen what the new ones wrote. */}}
{{- define "stockwire.judged.ledger.audit" -}}
{{- $of := printf "{namespace=%q}" .Release.Namespace }}
failureLimit: 0
inconclusiveLimit: 2
successCondition: len(result) == 1 && result[0] == 0
failureCondition: len(result) == 1 && result[0] > 0
{{ include "stockwire.asked" (dict "root" . "query" (printf
      "sum(increase(stockwire_audit_violations_total%s[5m]))\nand max(stockwire_audit_behind_seconds%s) < 30" $of $of)) }}
{{- end }}

{{/* Screens stay for days: in a minute in which none comes nobody was turned away, and the other two judge it. */}}
{{- define "stockwire.judged.hub.answered" -}}
{{- $of := include "stockwire.ofRevision" (dict "root" . "more" "") }}
{{- $failed := include "stockwire.ofRevision" (dict "root" . "more" "outcome=\"failed\"") }}
{{- $turned := include "stockwire.ofRevision" (dict "root" . "more" "status=~\"5..\"") }}
failureLimit: 2
failureCondition: len(result) == 1 && result[0] > {{ .Values.rollouts.limits.failed }}
{{ include "stockwire.asked" (dict "root" . "query" (printf (join "\n" (list
      "((sum(rate(stockwire_hub_request_seconds_count%s[1m])) or vector(0)) + (sum(rate(stockwire_hub_upgrades_total%s[1m])) or vector(0)))"
      "/"
      "((sum(rate(stockwire_hub_request_seconds_count%s[1m])) or vector(0)) + (sum(rate(stockwire_hub_upgrades_total%s[1m])) or vector(0)))"))
      $failed $turned $of $of)) }}
{{- end }}

{{- define "stockwire.judged.hub.in-time" -}}
{{- $of := include "stockwire.ofRevision" (dict "root" . "more" "") }}
{{- $bound := .Values.rollouts.limits.lateSeconds }}
{{- $in := include "stockwire.ofRevision" (dict "root" . "more" (printf "le=%q" (eq (floor $bound) (float64 $bound) | ternary (printf "%.1f" (float64 $bound)) (toString $bound)))) }}
{{- include "stockwire.judgedShare" (dict "root" . "limit" .Values.rollouts.limits.late "query" (printf
      "1 - sum(rate(stockwire_hub_transit_seconds_bucket%s[1m]))\n/\nsum(rate(stockwire_hub_transit_seconds_count%s[1m]))" $in $of)) }}
{{- end }}

{{- define "stockwire.judged.hub.fresh" -}}
{{- $of := include "stockwire.ofRevision" (dict "root" . "more" "") }}
{{- include "stockwire.judgedShare" (dict "root" . "limit" .Values.rollouts.limits.late "query" (printf
      "max(rate(stockwire_hub_behind_seconds_total%s[1m]))" $of)) }}
{{- end }}
