{{- define "bonus.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{- /* The release's name before every object; 30 characters, so that the name of a process fits behind it. */ -}}
{{- define "bonus.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- else if contains (include "bonus.name" .) .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "bonus.name" .) | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "bonus.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bonus.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "bonus.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "bonus.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "bonus.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "bonus.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "bonus.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* How many pods a process has: 0 is a number too. */ -}}
{{- define "bonus.replicas" -}}
{{- if kindIs "invalid" .replicas -}}1{{- else -}}{{- .replicas -}}{{- end -}}
{{- end -}}

{{- /* Variables of a process; secrets by reference. Takes a dict: root, settings (of the process), service. */ -}}
{{- define "bonus.environment" -}}
{{- $values := .root.Values -}}
{{- $plain := dict
      "BONUS_KAFKA_BOOTSTRAP" $values.kafka.bootstrap
      "BONUS_TOPIC_PREFIX" $values.kafka.topicPrefix
      "BONUS_TOKEN_PUBLIC_KEY_FILE" (printf "/run/keys/%s" $values.secret.tokenPublicKey)
      "BONUS_METRICS_HOST" "0.0.0.0"
      "BONUS_METRICS_PORT" ($values.metricsPort | toString)
      "BONUS_OTLP_ENDPOINT" $values.tracing.otlpEndpoint
      "BONUS_TRACE_SAMPLE" ($values.tracing.sample | toString)
      "BONUS_MAIL_FROM" $values.mail.from
-}}
{{- if $values.mail.host -}}
{{- $_ := set $plain "BONUS_SMTP_HOST" $values.mail.host -}}
{{- $_ := set $plain "BONUS_SMTP_PORT" ($values.mail.port | toString) -}}
{{- $_ := set $plain "BONUS_SMTP_SECURITY" $values.mail.security -}}
{{- end -}}
{{- if $values.publicUrl -}}
{{- $_ := set $plain "BONUS_PUBLIC_URL" $values.publicUrl -}}
{{- end -}}
{{- range $name, $value := merge (dict) (.settings | default dict) $values.settings -}}
{{- $_ := set $plain $name ($value | toString) -}}
{{- end -}}
{{- $secret := deepCopy $values.secret.variables -}}
{{- if $values.mail.usernameKey -}}
{{- $_ := set $secret "BONUS_SMTP_USERNAME" $values.mail.usernameKey -}}
{{- end -}}
{{- if $values.mail.passwordKey -}}
{{- $_ := set $secret "BONUS_SMTP_PASSWORD" $values.mail.passwordKey -}}
{{- end -}}
{{- if and $values.confirmations.privateKey (eq .service "notifier") -}}
{{- $_ := set $secret "BONUS_CONFIRMATION_KEY" $values.confirmations.privateKey -}}
{{- end -}}
{{- if and $values.confirmations.publicKey (eq .service "ledger") -}}
{{- $_ := set $secret "BONUS_CONFIRMATION_PUBLIC_KEY" $values.confirmations.publicKey -}}
{{- end -}}
{{- range $name, $value := $plain }}
{{- if not (hasKey $secret $name) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $key := $secret }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $values.secret.name | quote }}
      key: {{ $key | quote }}
{{- end }}
{{- end -}}

{{- /* What the pods of processes and of the job have in common. */ -}}
{{- define "bonus.pod" -}}
automountServiceAccountToken: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
