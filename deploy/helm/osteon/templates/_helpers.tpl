{{/* Name of all resources: the release, with the chart where the release does not say it. */}}
{{- define "osteon.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "osteon.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "osteon.labels" -}}
{{ include "osteon.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "osteon.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What cannot work is said when it is installed, not when the pods fail. */}}
{{- define "osteon.check" -}}
{{- $replay := .Values.trust.replay -}}
{{- range list "OSTEON_TRUST" "OSTEON_TRUSTED_CLIENTS" "OSTEON_PUBLIC_BASE_URL" "OSTEON_REPLAY_STORE" "OSTEON_REPLAY_UNAVAILABLE" "OSTEON_SHUTDOWN_TIMEOUT_SECONDS" -}}
{{- if hasKey $.Values.settings . -}}
{{- fail (printf "settings.%s: this chart has a value of its own for it" .) -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.trust.mode "required" -}}
{{- $_ := required "trust.publicBaseUrl: the address that clients use; `aud` of their tokens is compared with it" .Values.trust.publicBaseUrl -}}
{{- if not .Values.trust.clients -}}
{{- fail "trust.clients: at least one trusted client (trust.mode: off only behind a gateway that authenticates)" -}}
{{- end -}}
{{- $most := ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled -}}
{{- if and (gt (int $most) 1) (not $replay.existingSecret) (not $replay.perReplica) -}}
{{- fail "trust.replay.existingSecret: several replicas need a Redis that remembers used tokens, or trust.replay.perReplica: true" -}}
{{- end -}}
{{- end -}}
{{- end -}}
