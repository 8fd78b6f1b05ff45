// The components' behaviour. Each page works without it.
import { initAll } from './govuk-frontend.min.js'

initAll()
